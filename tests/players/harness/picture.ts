import { PNG } from "pngjs";

/** What is on a screen, as brightness from 0 to 255. */
export class Picture {
  #luma: Uint8Array;

  constructor(png: Uint8Array) {
    const { data, width, height } = PNG.sync.read(Buffer.from(png));
    this.#luma = new Uint8Array(width * height);
    for (let at = 0; at < this.#luma.length; at++) {
      const [red, green, blue] = [data[4 * at]!, data[4 * at + 1]!, data[4 * at + 2]!];
      this.#luma[at] = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    }
  }

  /** Standard deviation of the brightness: 0 for any plain colour, above 50 for the test picture. */
  get contrast(): number {
    const mean = this.#mean((luma) => luma);
    return Math.sqrt(this.#mean((luma) => (luma - mean) ** 2));
  }

  /** The share of places that differ visibly from another picture of the same size, 0 to 1. */
  differs(from: Picture): number {
    return this.#mean((luma, at) => (Math.abs(luma - from.#luma[at]!) > 24 ? 1 : 0));
  }

  #mean(of: (luma: number, at: number) => number): number {
    return this.#luma.reduce((sum, luma, at) => sum + of(luma, at), 0) / this.#luma.length;
  }
}

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import type { Browser, BrowserContext, ConsoleMessage, ElementHandle, HTTPResponse, Page } from "puppeteer-core";

import "../page/window";
import { kept } from "./paths";
import { Picture } from "./picture";
import type { Pages } from "./pages";
import type { Player } from "./players";
import { until } from "./until";

/** What can be seen of a player at one moment. */
export interface State {
  /** Seconds of a clock that only counts on, to compare media time with. */
  clock: number;
  /** Media seconds. */
  time: number;
  /** Lines of the picture that is shown. */
  height: number;
  /** Frames that were decoded and shown in time. */
  frames: number;
  /** Frames that were decoded, shown in time or not. */
  decoded: number;
  paused: boolean;
  /** Whether the player says that it is over. */
  ended: boolean;
  /** Seconds behind live, by the player's own reckoning. */
  latency: number;
  /** What there is to seek in, in media seconds; empty while unknown. */
  range: [number, number] | [];
  /** From where to where there is media to play, in media seconds. */
  buffered: [number, number][];
  /** What would make a viewer stop. */
  fatal: string[];
  /** What the player got over. */
  hiccups: string[];
}

/** A window of a browser with a player in it that plays an entry. */
export class Viewer {
  readonly player: Player;
  #context: BrowserContext;
  #page: Page;
  #video!: ElementHandle<HTMLVideoElement>;
  /** What the browser itself complains of: failed requests, errors on the console. */
  readonly complaints: string[] = [];

  private constructor(player: Player, context: BrowserContext, page: Page) {
    [this.player, this.#context, this.#page] = [player, context, page];
    page.on("console", (message) => message.type() === "error" && void this.#complain(message));
    page.on("pageerror", (error) => this.complaints.push(`page: ${error}`));
    page.on("response", (response) => this.#look(response));
  }

  /** What is an object is told with what it holds, once that is known. */
  async #complain(message: ConsoleMessage): Promise<void> {
    const at = this.complaints.push(`console: ${message.text()}`) - 1;
    const words = message.args().map(async (it) => {
      const value: unknown = await it.jsonValue();
      return (typeof value === "string" ? value : JSON.stringify(value)).slice(0, 400);
    });
    await Promise.all(words).then((all) => (this.complaints[at] = `console: ${all.join(" ")}`), () => {});
  }

  /** Each viewer has a window of its own: a browser does not decode what is hidden. */
  static async open(browser: Browser, pages: Pages, player: Player, url: string): Promise<Viewer> {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const viewer = new Viewer(player, context, page);
    await page.setViewport({ width: 640, height: 360 });
    await page.goto(pages.url(player.library));
    viewer.#video = (await page.$("video"))!;
    await viewer.#video.evaluate(player.play, url);
    return viewer;
  }

  /** What can be seen now. */
  state(): Promise<State> {
    return this.#video.evaluate((video) => {
      const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
      const ask = <T>(of: () => T, otherwise: T): T => {
        try {
          return of();
        } catch {
          return otherwise;
        }
      };
      const broken = video.error ? [`video: ${video.error.code} ${video.error.message}`] : [];
      const { buffered } = video;
      return {
        clock: performance.now() / 1000,
        time: video.currentTime,
        height: video.videoHeight,
        frames: totalVideoFrames - droppedVideoFrames,
        decoded: totalVideoFrames,
        paused: video.paused,
        ended: ask(() => window.handle.over(), false),
        latency: ask(() => window.handle.latency(), NaN),
        range: ask<[number, number] | []>(() => window.handle.range(), []),
        buffered: Array.from({ length: buffered.length }, (_, at): [number, number] => [
          buffered.start(at),
          buffered.end(at),
        ]),
        fatal: [...window.fatal, ...broken],
        hiccups: [...new Set(window.hiccups)],
      };
    });
  }

  /** Waits for a state that is as asked; a fatal error ends the waiting at once. */
  until(what: string, seconds: number, as: (state: State) => boolean): Promise<State> {
    const look = async () => {
      const state = await this.state();
      if (state.fatal.length > 0) throw new Error(`${this.player.name}: fatal error\n${await this.report()}`);
      return as(state) ? state : undefined;
    };
    return until(`${this.player.name}: ${what}`, seconds, look, () => this.report());
  }

  /** Goes to a place, in media seconds, as a hand on the seek bar does. */
  async seek(time: number): Promise<void> {
    await this.#video.evaluate((video, to) => void (video.currentTime = to), time);
  }

  /** Has the player go over to the rendition of this height, and stay there. */
  async choose(height: number): Promise<void> {
    await this.#page.evaluate((height) => window.handle.choose?.(height), height);
  }

  /** Goes back to the live edge, as the player's own button does. */
  async live(): Promise<void> {
    await this.#page.evaluate(() => window.handle.live());
  }

  /** Waits for a caption to be shown that reads like this, and says it. */
  caption(like: RegExp, seconds: number): Promise<string> {
    const shown = () =>
      this.#video.evaluate((video, like) => {
        window.handle.captions?.();
        const showing = [...video.textTracks].filter(({ mode }) => mode !== "disabled");
        const cues = showing.flatMap(({ activeCues }) => [...(activeCues ?? [])] as VTTCue[]);
        const texts = cues.map(({ text }) => text.replace(/<[^>]*>/g, "").trim());
        return texts.find((text) => new RegExp(like).test(text));
      }, like.source);
    return until(`${this.player.name}: a caption`, seconds, shown, () => this.report());
  }

  /** Over what was fetched whatever came by HTTPS: `h2`, `http/1.1`. */
  protocols(): Promise<string[]> {
    return this.#page.evaluate(() => {
      const fetched = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      const secure = fetched.filter(({ name }) => name.startsWith("https:"));
      return [...new Set(secure.map(({ nextHopProtocol }) => nextHopProtocol))];
    });
  }

  /** What is on the screen, which is kept as `name`. */
  async picture(name: string): Promise<Picture> {
    const png = await this.#page.screenshot({ captureBeyondViewport: false });
    writeFileSync(join(kept("screens"), `${name}.png`), png);
    return new Picture(png);
  }

  /** All there is to say about it, for whoever looks into a failure. */
  async report(): Promise<string> {
    return JSON.stringify({ player: this.player.name, ...(await this.state()), complaints: this.complaints }, null, 1);
  }

  async close(): Promise<void> {
    await this.#context.close();
  }

  #look(response: HTTPResponse): void {
    if (response.status() >= 400) this.complaints.push(`${response.status()} ${response.url()}`);
  }
}

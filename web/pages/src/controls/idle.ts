/** Hides the controls while somebody just watches. */

/** In milliseconds. */
const AFTER = 3000;

export class Idle {
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly root: HTMLElement,
    private readonly video: HTMLVideoElement,
  ) {
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) {
      root.addEventListener(name, () => this.stir());
    }
    root.addEventListener("pointerleave", (event) => {
      if (event.pointerType === "mouse") this.settle();
    });
    for (const name of ["play", "pause"]) video.addEventListener(name, () => this.stir());
  }

  /** Whether the controls are hidden. */
  get hidden(): boolean {
    return "idle" in this.root.dataset;
  }

  /** Shows the controls for a while. */
  stir(): void {
    delete this.root.dataset.idle;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), AFTER);
  }

  /** Hides them, unless they are needed: paused, or somebody is among them with the keyboard. */
  settle(): void {
    const used = this.root.querySelector(".controls :focus-visible, dialog[open]");
    if (!this.video.paused && !used) this.root.dataset.idle = "";
  }
}

/** Mute and volume, kept for the next visit where the browser lets a page keep something. */

import { find } from "../find";

const KEPT = "headwater.volume";

export class Volume {
  private readonly slider: HTMLInputElement;
  private readonly button: HTMLElement;

  constructor(
    root: HTMLElement,
    private readonly video: HTMLVideoElement,
  ) {
    this.slider = find(root, ".volume");
    this.button = find(root, ".mute");
    video.volume = kept();
    this.slider.addEventListener("input", () => this.set(Number(this.slider.value)));
    this.button.addEventListener("click", () => this.toggle());
    video.addEventListener("volumechange", () => this.update());
    this.update();
  }

  toggle(): void {
    this.video.muted = !this.video.muted;
    if (!this.video.muted && this.video.volume === 0) this.set(0.5);
  }

  change(by: number): void {
    this.set(this.video.volume + by);
  }

  private set(volume: number): void {
    this.video.volume = Math.min(Math.max(volume, 0), 1);
    this.video.muted = this.video.volume === 0;
    keep(this.video.volume);
  }

  private update(): void {
    const { muted, volume } = this.video;
    this.slider.value = String(muted ? 0 : volume);
    this.slider.style.setProperty("--played", `${muted ? 0 : 100 * volume}%`);
    this.slider.setAttribute("aria-valuetext", muted ? "muted" : `${Math.round(volume * 100)} percent`);
    this.button.classList.toggle("is-on", muted);
    this.button.setAttribute("aria-label", muted ? "Unmute" : "Mute");
  }
}

/** A frame of another site may not be allowed to keep anything. */
function kept(): number {
  try {
    const volume = Number(localStorage.getItem(KEPT) ?? 1);
    return volume > 0 && volume <= 1 ? volume : 1;
  } catch {
    return 1;
  }
}

function keep(volume: number): void {
  try {
    localStorage.setItem(KEPT, String(volume));
  } catch {
    // Then not.
  }
}

/** Play, pause, seek, the live edge: what buttons and keys do, and what the viewer wants. */

import type { Engine } from "./engine/engine";

/** Nearer to the edge counts as live, in seconds. */
const AT_EDGE = 3;

/** A viewer who follows the edge and fell further behind, by an outage, is brought back to it; in seconds. */
const LAGGING = 8;

/** Not more often than this, in milliseconds. */
const CATCH_UP = 15_000;

/** What the browser made of playing by itself. */
export type Start = "sound" | "muted" | "blocked";

export class Transport {
  /** Whether the viewer wants it to play, be it possible or not. */
  wanted = true;
  /** Whether the viewer wants to be at the live edge. */
  private following = true;
  private caughtUp = 0;

  constructor(
    readonly video: HTMLVideoElement,
    private readonly engine: Engine,
  ) {}

  /** Plays with sound where the browser lets a page do so unasked, muted where not. */
  async begin(): Promise<Start> {
    if (await this.tryToPlay()) return "sound";
    if (this.video.muted) return "blocked";
    this.video.muted = true;
    if (await this.tryToPlay()) return "muted";
    this.video.muted = false;
    return "blocked";
  }

  play(): void {
    this.wanted = true;
    void this.tryToPlay();
  }

  pause(): void {
    this.wanted = false;
    this.following = false;
    this.video.pause();
  }

  toggle(): void {
    if (this.video.paused) this.play();
    else this.pause();
  }

  /** To a place in the window, in seconds of the element's timeline. */
  seek(to: number): void {
    const range = this.engine.seekable();
    if (!range) return;
    this.following = to >= range.end - AT_EDGE;
    this.video.currentTime = Math.min(Math.max(to, range.start), range.end);
  }

  skip(seconds: number): void {
    this.seek(this.video.currentTime + seconds);
  }

  /** To the live edge, playing. */
  goLive(): void {
    this.following = true;
    if (this.engine.behind() >= AT_EDGE) this.engine.goLive();
    this.play();
  }

  /** Brings back who follows the edge and lost it. */
  catchUp(now: number): void {
    const lost = this.following && this.engine.live() && this.engine.behind() > LAGGING;
    if (!lost || this.video.paused || now - this.caughtUp < CATCH_UP) return;
    this.caughtUp = now;
    this.goLive();
  }

  atEdge(): boolean {
    return this.engine.behind() < AT_EDGE && !this.video.paused;
  }

  /** Whether it plays; not playing is no failure of ours when another load or a pause came between. */
  private async tryToPlay(): Promise<boolean> {
    try {
      await this.video.play();
      return true;
    } catch (error) {
      return !(error instanceof DOMException && error.name === "NotAllowedError");
    }
  }
}

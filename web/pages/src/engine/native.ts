/** The browser's own HLS, for browsers without Media Source Extensions. It picks the quality itself. */

import type { Failure } from "../decide";
import type { Choice, Engine, Listener, Range } from "./engine";

/** A video element as Safari has it (the HTML standard, `getStartDate`). */
type Dated = HTMLVideoElement & { getStartDate?: () => Date };

/** How far behind the newest media Safari begins, in seconds: three target durations of two (RFC 8216 §6.3.3). */
const HOLD_BACK = 6;

export class NativeEngine implements Engine {
  readonly automatic = true;
  /** When the element's time was zero, as if it had never stood since; `performance.now()`. */
  private zero = 0;

  static supported(video: HTMLVideoElement): boolean {
    return video.canPlayType("application/vnd.apple.mpegurl") !== "";
  }

  constructor(
    private readonly video: Dated,
    private readonly url: string,
    private readonly listener: Listener,
  ) {
    video.addEventListener("error", () => {
      const failure = failureOf(video.error);
      if (failure && video.hasAttribute("src")) listener.failed(failure);
    });
    video.addEventListener("playing", () => {
      if (this.zero === 0) this.zero = performance.now() - video.currentTime * 1000;
    });
    video.textTracks.addEventListener("addtrack", () => listener.changed());
    video.textTracks.addEventListener("removetrack", () => listener.changed());
  }

  async load(): Promise<void> {
    const { video } = this;
    const settled = new AbortController();
    const { signal } = settled;
    this.zero = 0;
    video.src = this.url;
    await new Promise<void>((resolve, reject) => {
      video.addEventListener("loadedmetadata", () => resolve(), { signal });
      video.addEventListener("error", () => reject(failureOf(video.error) ?? UNLOADABLE), { signal });
      video.load();
    }).finally(() => settled.abort());
    this.listener.changed();
  }

  async unload(): Promise<void> {
    this.video.removeAttribute("src");
    this.video.load();
  }

  ready(): boolean {
    return this.video.readyState > 0;
  }

  live(): boolean {
    return this.video.duration === Infinity;
  }

  seekable(): Range | null {
    const { seekable } = this.video;
    if (seekable.length === 0) return null;
    const start = seekable.start(0);
    const end = seekable.end(seekable.length - 1);
    return { start, end: this.live() ? Math.max(end - HOLD_BACK, start) : end };
  }

  behind(): number {
    const edge = this.seekable()?.end ?? (performance.now() - this.zero) / 1000;
    return this.live() ? Math.max(edge - this.video.currentTime, 0) : 0;
  }

  /** Chromium seeks nowhere in a live playlist, but what it loads anew begins at the edge. */
  goLive(): void {
    const range = this.seekable();
    if (range) this.video.currentTime = range.end;
    else void this.load().catch(() => this.listener.failed(UNLOADABLE));
  }

  shownAt(): number | null {
    const start = this.video.getStartDate?.().getTime();
    return this.live() && start ? start + this.video.currentTime * 1000 : null;
  }

  qualities(): Choice[] {
    return [];
  }

  chooseQuality(): void {}

  captions(): Choice[] {
    return [...this.video.textTracks].map((track, index) => ({
      id: String(index),
      label: track.label || track.language,
      active: track.mode === "showing",
    }));
  }

  chooseCaptions(id: string | null): void {
    [...this.video.textTracks].forEach((track, index) => {
      track.mode = String(index) === id ? "showing" : "disabled";
    });
  }
}

const UNLOADABLE: Failure = { reason: "The stream could not be loaded.", final: false };

function failureOf(error: MediaError | null): Failure | null {
  if (!error || error.code === MediaError.MEDIA_ERR_ABORTED) return null;
  return { reason: `The browser stopped playing (media error ${error.code}).`, final: false };
}

/**
 * Shaka Player on the MPD. DASH and not HLS: after an outage of the encoder Shaka's HLS stands still for about the
 * length of the window, its DASH goes on.
 */

import shaka from "shaka-player/dist/shaka-player.dash-es2021.js";

import type { Failure } from "../decide";
import type { Choice, Engine, Listener, Range } from "./engine";

/**
 * Media ahead before it plays, in seconds: more than one segment of the usual length, so that a page which opens at
 * the very beginning of a stream does not stall at the end of the only one there is.
 */
const READY = 2.5;

export class ShakaEngine implements Engine {
  private readonly player = new shaka.Player();
  private readonly attached: Promise<unknown>;
  private auto = true;
  private loaded = false;

  /** Shaka calls browsers supported that know HLS alone; it is DASH that it plays here. */
  static supported(): boolean {
    if (!("MediaSource" in window) && !("ManagedMediaSource" in window)) return false;
    shaka.polyfill.installAll();
    return shaka.Player.isBrowserSupported();
  }

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly url: string,
    listener: Listener,
  ) {
    this.player.configure({
      abr: { restrictToElementSize: true },
      streaming: {
        rebufferingGoal: READY,
        retryParameters: { maxAttempts: 3, baseDelay: 500, timeout: 15_000, stallTimeout: 8_000 },
      },
      manifest: { retryParameters: { maxAttempts: 2, baseDelay: 500, timeout: 15_000 } },
    });
    this.player.addEventListener("error", (event) => {
      const failure = failureOf((event as unknown as { detail: unknown }).detail);
      if (failure) listener.failed(failure);
    });
    for (const name of ["trackschanged", "adaptation", "variantchanged", "textchanged", "unloading"]) {
      this.player.addEventListener(name, () => listener.changed());
    }
    this.attached = this.player.attach(video);
  }

  get automatic(): boolean {
    return this.auto;
  }

  async load(): Promise<void> {
    try {
      await this.attached;
      this.loaded = false;
      await this.player.load(this.url);
      this.loaded = true;
    } catch (error) {
      if (isInterruption(error)) return;
      throw failureOf(error) ?? { reason: "The stream could not be loaded.", final: false };
    }
  }

  async unload(): Promise<void> {
    this.loaded = false;
    await this.player.unload();
  }

  ready(): boolean {
    return this.loaded;
  }

  live(): boolean {
    return this.player.isLive();
  }

  seekable(): Range | null {
    return this.loaded ? this.player.seekRange() : null;
  }

  behind(): number {
    return Math.max((this.seekable()?.end ?? 0) - this.video.currentTime, 0);
  }

  goLive(): void {
    this.player.goToLive();
  }

  /**
   * The timeline of a live MPD of ours is Unix time (its availabilityStartTime is the epoch). Shaka's own
   * `getPlayheadTimeAsDate` is not used: it moves with the drift that Shaka believes in.
   */
  shownAt(): number | null {
    return this.live() ? this.video.currentTime * 1000 : null;
  }

  qualities(): Choice[] {
    const tracks = this.player.getVariantTracks().filter((track) => track.height !== null);
    const heights = [...new Set(tracks.map((track) => track.height ?? 0))].sort((a, b) => b - a);
    const active = tracks.find((track) => track.active)?.height;
    return heights.map((height) => ({ id: String(height), label: `${height}p`, active: height === active }));
  }

  chooseQuality(id: string | null): void {
    this.auto = id === null;
    this.player.configure({ abr: { enabled: this.auto } });
    const track = this.player
      .getVariantTracks()
      .filter((track) => String(track.height) === id)
      .sort((a, b) => b.bandwidth - a.bandwidth)[0];
    if (track) this.player.selectVariantTrack(track, true);
  }

  captions(): Choice[] {
    return this.player.getTextTracks().map((track) => ({
      id: String(track.id),
      label: track.label || track.language,
      active: track.active,
    }));
  }

  chooseCaptions(id: string | null): void {
    const track = this.player.getTextTracks().find((track) => String(track.id) === id);
    this.player.selectTextTrack(track ?? null);
  }
}

/** What a viewer can make of an error; nothing for one that Shaka deals with itself. */
function failureOf(error: unknown): Failure | null {
  if (!(error instanceof shaka.util.Error)) return { reason: "The player failed.", final: false };
  if (error.severity !== shaka.util.Error.Severity.CRITICAL) return null;
  const { CONTENT_UNSUPPORTED_BY_BROWSER, RESTRICTIONS_CANNOT_BE_MET } = shaka.util.Error.Code;
  if (error.code === CONTENT_UNSUPPORTED_BY_BROWSER || error.code === RESTRICTIONS_CANNOT_BE_MET) {
    return { reason: "This browser cannot decode the stream.", final: true };
  }
  return { reason: `The player failed (Shaka error ${error.code}).`, final: false };
}

/** A load that a newer one has taken the place of. */
function isInterruption(error: unknown): boolean {
  return error instanceof shaka.util.Error && error.code === shaka.util.Error.Code.LOAD_INTERRUPTED;
}

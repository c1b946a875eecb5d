/** Where playback is: the seek bar, the live button, latency or time. */

import type { Clock } from "../clock";
import type { Engine, Range } from "../engine/engine";
import { find } from "../find";
import { clock as clockText, latency as latencyText, spoken } from "../format";
import type { Transport } from "../transport";

/** A shorter window is not worth a seek bar, in seconds. */
const WORTH_SEEKING = 5;

export class Position {
  private readonly bar: HTMLInputElement;
  private readonly live: HTMLButtonElement;
  private readonly latency: HTMLElement;
  private readonly time: HTMLElement;
  private dragging = false;

  constructor(
    root: HTMLElement,
    private readonly transport: Transport,
    private readonly engine: Engine,
    private readonly clock: Clock,
  ) {
    this.bar = find(root, ".seek");
    this.live = find(root, ".live");
    this.latency = find(root, ".latency");
    this.time = find(root, ".time");
    this.bar.addEventListener("input", () => (this.dragging = true));
    this.bar.addEventListener("change", () => this.dropped());
  }

  /** Shows where playback is; `elsewhere` is whether the stream is live while a recording is on screen. */
  update(elsewhere: boolean): void {
    const range = this.engine.seekable();
    const live = this.engine.live();
    this.showBar(range, live);
    this.showLive(live, elsewhere);
    this.showLatency(live);
    this.showTime(live ? null : range);
  }

  /** Nothing is loaded. */
  clear(): void {
    for (const element of [this.bar, this.live, this.latency, this.time]) element.hidden = true;
  }

  private dropped(): void {
    const range = this.engine.seekable();
    this.dragging = false;
    if (range) this.transport.seek(range.start + Number(this.bar.value));
  }

  private showBar(range: Range | null, live: boolean): void {
    const length = range ? range.end - range.start : 0;
    this.bar.hidden = length < WORTH_SEEKING;
    if (!range || this.dragging) return;
    const at = Math.min(Math.max(this.transport.video.currentTime - range.start, 0), length);
    const shown = live && this.transport.atEdge() ? length : at;
    this.bar.max = String(length);
    this.bar.value = String(shown);
    this.bar.style.setProperty("--played", `${length > 0 ? (100 * shown) / length : 100}%`);
    this.bar.setAttribute("aria-valuetext", this.spoken(at, live));
  }

  private spoken(at: number, live: boolean): string {
    if (!live) return spoken(at);
    return this.transport.atEdge() ? "live" : `${spoken(this.engine.behind())} behind live`;
  }

  private showLive(live: boolean, elsewhere: boolean): void {
    const atEdge = live && this.transport.atEdge();
    this.live.hidden = !live && !elsewhere;
    this.live.classList.toggle("at-edge", atEdge);
    const behind = elsewhere ? "the stream is on air" : `${spoken(this.engine.behind())} behind`;
    const label = atEdge ? "Live" : `Go live: ${behind}`;
    this.live.setAttribute("aria-label", label);
    this.live.title = label;
  }

  private showLatency(live: boolean): void {
    const shownAt = live ? this.engine.shownAt() : null;
    this.latency.hidden = shownAt === null;
    if (shownAt !== null) this.latency.textContent = latencyText((this.clock.now() - shownAt) / 1000);
  }

  private showTime(range: Range | null): void {
    this.time.hidden = range === null;
    if (!range) return;
    const at = this.transport.video.currentTime - range.start;
    this.time.textContent = `${clockText(at)} / ${clockText(range.end - range.start)}`;
  }
}

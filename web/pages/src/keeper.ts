/**
 * Keeps the page playing: asks the server whenever playback does not go well by itself, and does what {@link decide}
 * says. While the picture moves nothing is asked.
 */

import { type Air, ask } from "./air";
import { Alarm } from "./alarm";
import type { Clock } from "./clock";
import { type Action, type Failure, type Loaded, type State, decide } from "./decide";
import type { Engine } from "./engine/engine";
import { Pauses } from "./pauses";
import { Watchdog } from "./watchdog";

export interface Stage {
  /** Whether the viewer wants it to play, be it possible or not. */
  wanted(): boolean;
  /** Something new is loaded: play it, if `play`. */
  begin(play: boolean): void;
  show(state: State, reason: string | null): void;
}

export class Keeper {
  private state: State = "loading";
  private loaded: Loaded | null = null;
  private failure: Failure | null = null;
  /** Why the server lets nobody watch, in its words. */
  private refusal: string | null = null;
  /** What was shown last. */
  private reason: string | null = null;
  /** Since when the picture stands while the server has had something new; `performance.now()`. */
  private flowing: number | null = null;
  private onAir = false;
  private readonly watchdog = new Watchdog();
  private readonly pauses = new Pauses();
  private readonly alarm = new Alarm();

  constructor(
    private readonly manifest: string,
    private readonly clock: Clock,
    private readonly video: HTMLVideoElement,
    private readonly engine: Engine,
    private readonly stage: Stage,
  ) {}

  async run(): Promise<never> {
    for (;;) {
      const air = await ask(this.manifest, this.clock);
      const { state, action } = this.decide(air);
      this.refusal = state === "refused" && air.is === "refused" ? air.reason : null;
      this.show(state);
      await this.act(action, air);
      await this.rest();
    }
  }

  /** To be called a few times a second. */
  tick(): void {
    const now = performance.now();
    const moved = this.watchdog.see(this.video.currentTime, this.moving(), now);
    if (moved && this.loaded) this.show("playing");
    else if (this.state === "playing" && this.watchdog.stuck(now)) this.trouble();
  }

  failed(failure: Failure): void {
    this.failure = failure;
    this.alarm.ring();
  }

  /** Asks again now. */
  hurry(): void {
    this.alarm.ring();
  }

  /** Whether a recording is loaded and not what is on air. */
  recording(): boolean {
    return this.loaded?.session === null;
  }

  /** Whether there is a live stream to go to while a recording is on screen. */
  liveElsewhere(): boolean {
    return this.recording() && this.onAir;
  }

  /** From the recording to what is on air. */
  leaveRecording(): void {
    this.loaded = null;
    this.alarm.ring();
  }

  /** Shows what was on air from its beginning. */
  async replay(): Promise<void> {
    if (!this.recording()) await this.load({ session: null });
    this.stage.begin(true);
    this.alarm.ring();
  }

  private decide(air: Air) {
    const now = performance.now();
    const stuck = this.video.ended || (this.moving() && this.watchdog.stuck(now));
    const flows = air.is === "live" && air.silent === 0;
    this.flowing = stuck && flows ? (this.flowing ?? now) : null;
    this.onAir = air.is === "live";
    const overdue = this.flowing === null ? 0 : (now - this.flowing) / 1000;
    const absorbed = this.recording() && this.moving();
    return decide(air, { loaded: this.loaded, failure: this.failure, stuck, overdue, absorbed });
  }

  private async act(action: Action, air: Air): Promise<void> {
    if (action === "load" && air.is === "live") {
      if (await this.load({ session: air.session })) this.stage.begin(this.stage.wanted());
    } else if (action === "recording") {
      if (await this.load({ session: null })) this.stage.begin(false);
    } else if (action === "unload") {
      this.loaded = null;
      await this.engine.unload();
    }
  }

  private async load(what: Loaded): Promise<boolean> {
    this.failure = null;
    this.flowing = null;
    this.loaded = what;
    try {
      await this.engine.load();
      return true;
    } catch (failure) {
      this.failure = failure as Failure;
      if (what.session === null) this.loaded = null;
      return false;
    } finally {
      this.watchdog.reset(performance.now());
    }
  }

  private moving(): boolean {
    return this.loaded !== null && this.stage.wanted() && !this.video.paused && !this.video.ended;
  }

  private trouble(): void {
    this.show("buffering");
    this.alarm.ring();
  }

  private show(state: State): void {
    const reason = this.refusal ?? this.failure?.reason ?? null;
    if (state === this.state && reason === this.reason) return;
    this.state = state;
    this.reason = reason;
    this.stage.show(state, reason);
  }

  /** Until it is time to ask again, or something happens. */
  private async rest(): Promise<void> {
    await this.alarm.wait(this.pauses.after(this.state, this.recording(), document.hidden));
  }
}

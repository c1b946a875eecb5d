/** How long a page waits before it asks the server again. */

import { Backoff } from "./backoff";
import type { State } from "./decide";

/** First and longest pause in seconds. A stream that plays well needs no asking. */
const PACES: Record<State, [number, number] | null> = {
  playing: null,
  loading: [1, 10],
  buffering: [1.5, 5],
  starting: [1, 2],
  waiting: [1.5, 3],
  reconnecting: [1, 6],
  offline: [1.5, 8],
  refused: [5, 30],
  ended: [2, 8],
  error: [10, 30],
};

/** A recording is on screen: somebody may go live meanwhile, and it does not matter much when that is noticed. */
const RECORDING = 10;

/** A page that nobody looks at. */
const HIDDEN = 15;

export class Pauses {
  private state: State = "loading";
  private backoff = new Backoff(1, 10);

  /** In seconds; `null` is until something happens. */
  after(state: State, recording: boolean, hidden: boolean): number | null {
    if (state !== this.state) this.enter(state);
    if (PACES[state] === null) return recording ? RECORDING : null;
    const pause = this.backoff.pause();
    return hidden ? Math.max(pause, HIDDEN) : pause;
  }

  private enter(state: State): void {
    this.state = state;
    const pace = PACES[state];
    if (pace) this.backoff = new Backoff(...pace);
  }
}

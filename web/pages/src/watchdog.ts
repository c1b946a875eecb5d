/** Notices that a picture stands although it should move. */

/** Shorter stalls are buffering that the viewer hardly sees, in milliseconds. */
const PATIENCE = 1500;

export class Watchdog {
  private position = Number.NaN;
  private moved = 0;

  /** Tells where playback is now, and whether it should move. Says whether it has moved since. */
  see(position: number, wanted: boolean, now: number): boolean {
    const moved = position !== this.position;
    if (moved || !wanted) this.moved = now;
    this.position = position;
    return moved && wanted;
  }

  stuck(now: number): boolean {
    return now - this.moved > PATIENCE;
  }

  /** Something new is about to play. */
  reset(now: number): void {
    this.moved = now;
  }
}

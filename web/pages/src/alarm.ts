/** A pause that can be cut short. */

/** However often it rings, in milliseconds: what fails at once must not be tried in a loop. */
const LEAST = 500;

export class Alarm {
  private rung = false;
  private wake = () => {};

  /** Ends the wait that runs, or the next one. */
  ring(): void {
    this.rung = true;
    this.wake();
  }

  /** Waits so many seconds, or with `null` until it rings. */
  async wait(seconds: number | null): Promise<void> {
    await sleep(LEAST);
    if (!this.rung) await this.rest(seconds === null ? null : seconds * 1000 - LEAST);
    this.rung = false;
  }

  private rest(milliseconds: number | null): Promise<void> {
    return new Promise((resolve) => {
      const timer = milliseconds === null ? undefined : setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

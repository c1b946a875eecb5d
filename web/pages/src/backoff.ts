/** Pauses that grow, so that many pages waiting for one stream do not become a load of their own. */

export class Backoff {
  private next: number;

  /** Pauses from `first` to `last`, in seconds, each half as long again as the one before. */
  constructor(
    private readonly first: number,
    private readonly last: number,
    private readonly random: () => number = Math.random,
  ) {
    this.next = first;
  }

  /** The next pause in seconds, spread by a fifth either way so that pages do not ask in step. */
  pause(): number {
    const pause = this.next;
    this.next = Math.min(this.next * 1.5, this.last);
    return pause * (0.8 + 0.4 * this.random());
  }

  reset(): void {
    this.next = this.first;
  }
}

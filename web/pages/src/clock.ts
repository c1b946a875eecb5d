/** The server's clock, so that latency is right on a device whose own clock is not. */

export class Clock {
  /** Milliseconds to add to the device's clock. */
  private offset = 0;

  /** Unix time at the server, in milliseconds; the device's own until {@link sync} has succeeded. */
  now(): number {
    return Date.now() + this.offset;
  }

  /** Asks the server once. Failing leaves things as they are: a wrong latency is better than no picture. */
  async sync(url: string): Promise<void> {
    try {
      const sent = Date.now();
      const response = await fetch(url, { cache: "no-store", signal: AbortSignal.timeout(5000) });
      const there = Date.parse(await response.text());
      const here = (sent + Date.now()) / 2;
      if (response.ok && Number.isFinite(there)) this.offset = there - here;
    } catch {
      // Whoever asks for the manifest notices that the server is away.
    }
  }
}

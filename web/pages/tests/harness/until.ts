/** Waits for `look` to find something, and says what was waited for when it does not within `seconds`. */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => T | null | undefined | false | Promise<T | null | undefined | false>,
  log: () => string = () => "",
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not within ${seconds} s: ${what}\n${log()}`);
}

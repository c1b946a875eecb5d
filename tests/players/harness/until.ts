import { setTimeout as pause } from "node:timers/promises";

/** Milliseconds between two looks. */
const INTERVAL = 150;

/**
 * Looks until there is something, which it returns; undefined, null and false are nothing.
 * Throws after `seconds`, saying what did not come and what `last` has to tell.
 */
export async function until<T>(
  what: string,
  seconds: number,
  look: () => T | Promise<T>,
  last: () => string | Promise<string> = () => "",
): Promise<NonNullable<T>> {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== null && found !== false) return found as NonNullable<T>;
    if (performance.now() > deadline) throw new Error(`${seconds} s without ${what}\n${await last()}`.trim());
    await pause(INTERVAL);
  }
}

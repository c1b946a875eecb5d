/** Numbers as the viewer reads them. */

/** `3.2 s`, `18 s`, `4:05` behind. */
export function latency(seconds: number): string {
  if (seconds < 10) return `${Math.max(seconds, 0).toFixed(1)} s`;
  return seconds < 60 ? `${Math.round(seconds)} s` : clock(seconds);
}

/** `0:07`, `12:34`, `1:02:03`. */
export function clock(seconds: number): string {
  const whole = Math.max(Math.floor(seconds), 0);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** `7 seconds`, `1 minute 5 seconds`: for who hears the page. */
export function spoken(seconds: number): string {
  const whole = Math.max(Math.round(seconds), 0);
  const [m, s] = [Math.floor(whole / 60), whole % 60];
  const count = (n: number, unit: string) => `${n} ${unit}${n === 1 ? "" : "s"}`;
  if (m === 0) return count(s, "second");
  return s === 0 ? count(m, "minute") : `${count(m, "minute")} ${count(s, "second")}`;
}

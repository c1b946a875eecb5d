/** What the server says about an entry: one cheap request for its MPD. */

import type { Clock } from "./clock";

export type Air =
  /** On air; `silent` is how long nothing new has been published, in seconds, beyond what is usual. */
  | { is: "live"; session: string; silent: number }
  /** It was on air, and what it left can be played. */
  | { is: "ended" }
  /** A publisher is there and nothing can be played yet. */
  | { is: "starting" }
  | { is: "offline" }
  /** It may not be watched from here, or not like this; `reason` is the server's, in words. */
  | { is: "refused"; reason: string }
  /** The server does not answer, or something in between answers in its place. */
  | { is: "unreachable" };

/** Longer than a server holds a request for a stream that is starting. */
const PATIENCE_MS = 12_000;

export async function ask(url: string, clock: Clock): Promise<Air> {
  try {
    const response = await fetch(url, { cache: "no-cache", signal: AbortSignal.timeout(PATIENCE_MS) });
    return read(response.status, await response.text(), clock.now());
  } catch {
    return { is: "unreachable" };
  }
}

/** Reads an answer; `now` is the server's Unix time in milliseconds. */
export function read(status: number, body: string, now: number): Air {
  if (status === 404 || status === 410) return { is: "offline" };
  if (status === 401 || status === 403) return { is: "refused", reason: detail(body) };
  if (status === 503 && body.includes("starting")) return { is: "starting" };
  const mpd = /<MPD\s[^>]*>/.exec(body)?.[0];
  if (status !== 200 || mpd === undefined) return { is: "unreachable" };
  if (attribute(mpd, "type") !== "dynamic") return { is: "ended" };
  return { is: "live", session: session(body), silent: silence(mpd, now) };
}

/** The sentence of a problem (RFC 9457); nothing where somebody else than the server refuses. */
function detail(body: string): string {
  try {
    const { detail } = JSON.parse(body) as { detail?: unknown };
    return typeof detail === "string" ? detail.charAt(0).toUpperCase() + detail.slice(1) + "." : "";
  } catch {
    return "";
  }
}

/** The session that the MPD pins itself to; where it does not, all sessions are one. */
function session(body: string): string {
  return /<Location>[^<]*[?&]s=(\d+)/.exec(body)?.[1] ?? "";
}

function silence(mpd: string, now: number): number {
  const published = Date.parse(attribute(mpd, "publishTime") ?? "");
  const usual = Number(/^PT([\d.]+)S$/.exec(attribute(mpd, "maxSegmentDuration") ?? "")?.[1] ?? 2);
  const since = (now - published) / 1000 - usual;
  return Number.isFinite(since) ? Math.max(since, 0) : 0;
}

function attribute(tag: string, name: string): string | undefined {
  return new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
}

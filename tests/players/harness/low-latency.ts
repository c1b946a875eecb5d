import { playLowLatencyHls, playLowLatencyShaka } from "../page/low-latency";
import { playLowLatencyDashJs, playLowLatencyRx, playLowLatencyShakaDash } from "../page/low-latency-dash";
import { DASH_JS, HLS_JS, RX_DASH, SHAKA_DASH, SHAKA_HLS, type Player } from "./players";
import { started } from "./watching";
import type { State, Viewer } from "./viewer";

/**
 * Shaka takes the decode times of a part for its presentation times, and wonders where pictures that are shown later than
 * others that follow them are at the end of one.
 */
export const REORDERED = /Possible encoding problem detected! Unexpected buffered range/;

/** Players that play parts. */
export const LOW_LATENCY_PLAYERS: Player[] = [
  { ...HLS_JS, name: "hls.js in low latency", play: playLowLatencyHls },
  { ...SHAKA_HLS, name: "Shaka on HLS in low latency", play: playLowLatencyShaka },
];

/** Players that play segments which grow. */
export const LOW_LATENCY_DASH: Player[] = [
  { ...DASH_JS, name: "dash.js in low latency", play: playLowLatencyDashJs },
  { ...SHAKA_DASH, name: "Shaka on DASH in low latency", play: playLowLatencyShakaDash },
  { ...RX_DASH, name: "rx-player in low latency", play: playLowLatencyRx },
];

/** Seconds behind the clock that a player may be: three parts of half a second, and what it takes itself. */
export const BEHIND = 3;

/** For a player to find its place, in seconds of media. */
const SETTLING = 6;

/** How far media time may fall behind real time in all, through changes of pace alone. */
const LOST = 0.5;

/** Seconds behind the clock: at any look at least, at half of them at most, at any at most. */
export interface Distance {
  nearest: number;
  median: number;
  farthest: number;
}

/** Sees that a viewer who has begun is near live and stays there for `seconds`, without a halt. Says how far behind. */
export async function staysNear(viewer: Viewer, seconds: number): Promise<Distance> {
  const first = await started(viewer);
  const from = await viewer.until("its place", 6 * SETTLING, (state) => near(state) && state.time > first.time + SETTLING);
  const known = from.hiccups.length;
  const distances = [from.latency];
  const to = await viewer.until(`${seconds} s`, seconds + 10, (state) => {
    distances.push(behind(from, state));
    return state.clock >= from.clock + seconds;
  });
  const seen = distance(distances);
  const lost = to.clock - from.clock - (to.time - from.time);
  // A picture that was not decoded is a hole in what is buffered.
  const holes = to.buffered.filter(([, end]) => end > from.time).length - 1;
  const halted = lost > LOST || to.hiccups.length > known || seen.farthest > BEHIND + LOST || holes > 0;
  if (!halted) return seen;
  throw new Error(`${lost.toFixed(2)} s lost, ${holes} holes, at most ${seen.farthest.toFixed(2)} s behind\n${await viewer.report()}`);
}

/** By what was played since: within a minute Shaka 5.2 on HLS was seen to date its picture a segment later. */
const behind = (from: State, { clock, time }: State): number => from.latency + (clock - from.clock) - (time - from.time);

function distance(seen: number[]): Distance {
  const sorted = seen.toSorted((one, other) => one - other);
  return { nearest: sorted[0]!, median: sorted[sorted.length >> 1]!, farthest: sorted.at(-1)! };
}

const near = ({ latency }: State): boolean => latency <= BEHIND;

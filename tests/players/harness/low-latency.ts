import { playLowLatencyHls, playLowLatencyShaka } from "../page/low-latency";
import { playLowLatencyDashJs, playLowLatencyRx, playLowLatencyShakaDash } from "../page/low-latency-dash";
import { DASH_JS, HLS_JS, RX_SMOOTH, SHAKA_DASH, SHAKA_HLS, type Player } from "./players";
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
  { ...RX_SMOOTH, name: "rx-player in low latency", manifest: "manifest.mpd", play: playLowLatencyRx },
];

/** Seconds behind the clock that a player may be: three parts of half a second, and what it takes itself. */
export const BEHIND = 3;

/** For a player to find its place, in seconds of media. */
const SETTLING = 6;

/** How far media time may fall behind real time in all, through changes of pace alone. */
const LOST = 0.5;

/** Sees that a viewer who has begun is near live and stays there for `seconds`, without a halt. Says how far behind. */
export async function staysNear(viewer: Viewer, seconds: number): Promise<number> {
  const first = await started(viewer);
  const from = await viewer.until("its place", 6 * SETTLING, (state) => near(state) && state.time > first.time + SETTLING);
  const known = from.hiccups.length;
  let farthest = from.latency;
  const to = await viewer.until(`${seconds} s`, seconds + 10, (state) => {
    farthest = Math.max(farthest, state.latency);
    return state.clock >= from.clock + seconds;
  });
  const lost = to.clock - from.clock - (to.time - from.time);
  // A picture that was not decoded is a hole in what is buffered.
  const holes = to.buffered.filter(([, end]) => end > from.time).length - 1;
  const halted = lost > LOST || to.hiccups.length > known || farthest > BEHIND + LOST || holes > 0;
  if (!halted) return to.latency;
  throw new Error(`${lost.toFixed(2)} s lost, ${holes} holes, at most ${farthest.toFixed(2)} s behind\n${await viewer.report()}`);
}

const near = ({ latency }: State): boolean => latency <= BEHIND;

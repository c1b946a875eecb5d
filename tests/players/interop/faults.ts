import { setTimeout as pause } from "node:timers/promises";

import { DASH_JS, HLS_JS, SHAKA_DASH, SHAKA_HLS, type Player } from "../harness/players";
import type { Stage } from "../harness/stage";
import { playsOn } from "../harness/watching";
import type { State, Viewer } from "../harness/viewer";
import type { Known } from "./cell";

/** What happens to a stream that is being watched. */
export interface Fault {
  name: string;
  /** What the server is set to, in TOML. */
  settings: string;
  happen(stage: Stage): Promise<void>;
  /** Sees a viewer through it, who had `before`; returns how that went. */
  through(viewer: Viewer, before: State): Promise<string>;
  /** Players that are known not to come through, and why. */
  known: Map<Player, Known>;
}

/** For a player to get over it, in seconds. */
const PATIENCE = 30;

const SHAKA_WINDOW: Known = {
  sign: /reading 'next'|without Shaka on HLS: (what came after|3 s of media)/,
  reason:
    "stalls for about the length of the window: where one can seek to moves on without segments, and Shaka loses its " +
    "place among them",
};

const SHAKA_STATIC: Known = {
  sign: /30 s without Shaka on DASH: the end/,
  reason:
    "waits for more: where an MPD becomes static, Shaka adds mediaPresentationDuration to where one can seek back to",
};

const DASH_STANDS: Known = {
  sign: /30 s without dash\.js: what came after/,
  reason: "stands still, now and then: at the end of the Period before the outage, though the MPD has the next one",
};

const DASH_PERIODS: Known = {
  sign: /30 s without dash\.js: the end/,
  reason:
    "plays the last moment again and again: dash.js puts the sum of several Periods in the place of " +
    "mediaPresentationDuration, so none of them is the last",
};

const HLS_HOLE: Known = {
  sign: /30 s without hls\.js: the end/,
  reason: "waits for more: hls.js stops short of the end after a hole of less than 0.1 s in the sound",
};

export const FAULTS: Fault[] = [
  {
    name: "encoder reconnects at once",
    settings: "",
    happen: (stage) => away(stage, 0),
    through: goesOn,
    known: new Map(),
  },
  {
    name: "encoder away for 8 s",
    settings: "",
    happen: (stage) => away(stage, 8),
    through: goesOn,
    known: new Map([
      [SHAKA_HLS, SHAKA_WINDOW],
      [DASH_JS, DASH_STANDS],
    ]),
  },
  {
    name: "server restarted",
    settings: "",
    happen: restart,
    through: goesOn,
    known: new Map([[SHAKA_HLS, SHAKA_WINDOW]]),
  },
  {
    name: "stream ends",
    settings: 'stream.reconnect = "2s"',
    happen: (stage) => stage.offAir(),
    through: ends,
    known: new Map([[SHAKA_DASH, SHAKA_STATIC]]),
  },
  {
    name: "encoder reconnects, then stream ends",
    settings: 'stream.reconnect = "2s"',
    happen: async (stage) => {
      await away(stage, 0);
      await pause(8000);
      await stage.offAir();
    },
    through: ends,
    known: new Map([
      [SHAKA_HLS, SHAKA_WINDOW],
      [SHAKA_DASH, SHAKA_STATIC],
      [DASH_JS, DASH_PERIODS],
      [HLS_JS, HLS_HOLE],
    ]),
  },
];

/** The encoder loses its power for some seconds. */
async function away(stage: Stage, seconds: number): Promise<void> {
  await stage.offAir();
  await pause(seconds * 1000);
  await stage.onAir();
}

/** A deploy: the server goes and comes, and the encoder connects again. */
async function restart(stage: Stage): Promise<void> {
  await stage.server.restart();
  await stage.offAir();
  await stage.onAir();
}

async function goesOn(viewer: Viewer, before: State): Promise<string> {
  const edge = Math.max(before.range[1] ?? 0, ...before.buffered.map(([, end]) => end));
  await viewer.until("what came after", PATIENCE, ({ time }) => time > edge + 2);
  const { latency } = await playsOn(viewer);
  return `goes on, ${latency.toFixed(1)} s behind live`;
}

async function ends(viewer: Viewer): Promise<string> {
  await viewer.until("the end", PATIENCE, ({ ended }) => ended);
  return "plays to the end and says so";
}

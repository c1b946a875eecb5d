import { setTimeout as pause } from "node:timers/promises";

import { DASH_JS, HLS_JS, SHAKA_DASH, SHAKA_HLS, type Player } from "../harness/players";
import type { Stage } from "../harness/stage";
import { playsOn } from "../harness/watching";
import type { State, Viewer } from "../harness/viewer";

/** What happens to a stream that is being watched. */
export interface Fault {
  name: string;
  /** What the server is set to, in TOML. */
  settings: string;
  happen(stage: Stage): Promise<void>;
  /** Sees a viewer through it, who had `before`; returns how that went. */
  through(viewer: Viewer, before: State): Promise<string>;
  /** Players that are known not to come through, and why. */
  known: Map<Player, string>;
}

/** For a player to get over it, in seconds. */
const PATIENCE = 30;

const SHAKA_WINDOW = "Shaka on HLS stalls for about the length of the window after a stretch without segments";

const SHAKA_STATIC =
  "Shaka adds mediaPresentationDuration to where the seek range begins once an MPD is static, and waits for more";

const DASH_GONE = "what was in the server's memory is gone, and dash.js goes on asking for it until the page is reloaded";

const DASH_PERIODS =
  "dash.js puts the sum of the Periods' durations in the place of mediaPresentationDuration where there are several, so the last is not the last to it";

const HLS_HOLE =
  "hls.js takes a hole of less than 0.1 s in the sound, where an encoder was cut off, for something yet to come";

export const FAULTS: Fault[] = [
  { name: "encoder reconnects at once", settings: "", happen: (stage) => away(stage, 0), through: goesOn, known: new Map() },
  {
    name: "encoder away for 8 s",
    settings: "",
    happen: (stage) => away(stage, 8),
    through: goesOn,
    known: new Map([[SHAKA_HLS, SHAKA_WINDOW]]),
  },
  {
    name: "server restarted",
    settings: "",
    happen: restart,
    through: goesOn,
    known: new Map([
      [SHAKA_HLS, SHAKA_WINDOW],
      [DASH_JS, DASH_GONE],
    ]),
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

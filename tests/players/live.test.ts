import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PLAYERS } from "./harness/players";
import { REORDERED } from "./harness/low-latency";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";
import type { State, Viewer } from "./harness/viewer";

/** Seconds behind live that are plausible: players stay three segments of 2 s behind, and start on whole segments. */
const LATENCY = [1, 14] as const;

/** Seconds to rewind by. */
const BACK = 7;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  // Shaka lets one seek back on HLS as far as the playlist went when it was opened.
  await stage.listed(2 * BACK + 2);
});
afterAll(() => stage?.strike());

describe("a viewer of a live stream, with the default settings", () => {
  test.concurrent.for(PLAYERS)("$name plays, seeks back inside the window and returns to the edge", async (player) => {
    const viewer = await stage.open(player);
    await started(viewer);
    const { latency } = await playsOn(viewer);
    expect(latency).toBeGreaterThan(LATENCY[0]);
    expect(latency).toBeLessThan(LATENCY[1]);
    await showsMotion(viewer);
    await rewindsAndReturns(viewer);
    expect(viewer.complaints.filter((complaint) => !REORDERED.test(complaint))).toEqual([]);
  });
});

/** Seeks back, plays there, and goes back to the edge, which is about where it had been all the time. */
async function rewindsAndReturns(viewer: Viewer): Promise<void> {
  const room = ({ time, range: [start = Infinity] }: State) => time - start > BACK + 1;
  const live = await viewer.until("room to rewind", 30, room);
  await viewer.seek(live.time - BACK);
  await viewer.until("playing there", 10, (state) => state.frames > live.frames && behind(state, live) > BACK - 1);
  await playsOn(viewer);
  await viewer.live();
  await viewer.until("the edge", 10, (state) => behind(state, live) < BACK / 2);
  await playsOn(viewer);
}

/** How many seconds a viewer is later than it once was. */
const behind = (state: State, once: State): number => state.clock - once.clock - (state.time - once.time);

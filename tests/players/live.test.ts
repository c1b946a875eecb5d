import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PLAYERS } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds behind live that are plausible: players stay three segments of 2 s behind, and start on whole segments. */
const LATENCY = [1, 14] as const;

let stage: Stage;
beforeAll(async () => void (stage = await Stage.set()));
afterAll(() => stage?.strike());

describe("a viewer of a live stream, with the default settings", () => {
  test.concurrent.for(PLAYERS)("$name plays, seeks back inside the window and returns to the edge", async (player) => {
    const viewer = await stage.open(player);
    await started(viewer);
    const { latency } = await playsOn(viewer);
    expect(latency).toBeGreaterThan(LATENCY[0]);
    expect(latency).toBeLessThan(LATENCY[1]);
    await showsMotion(viewer);
    await rewinds(viewer);
    await returns(viewer, latency);
    expect(viewer.complaints).toEqual([]);
  });
});

/** Seeks to the far end of what there is and plays there. */
async function rewinds(viewer: Viewer): Promise<void> {
  const { range } = await viewer.until("a window of 9 s", 30, ({ range: [from = 0, to = 0] }) => to - from >= 9);
  const there = range[0]! + 3;
  await viewer.seek(there);
  await viewer.until("playing there", 10, ({ time }) => time > there + 0.2 && time < there + 3);
  await playsOn(viewer);
}

/** Goes back to the edge, where it is about as near to live as before. */
async function returns(viewer: Viewer, latency: number): Promise<void> {
  const from = await viewer.state();
  await viewer.live();
  await viewer.until("the edge", 10, (now) => now.time > from.time + 2 && now.latency < latency + 3);
  await playsOn(viewer);
}

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { SMOOTH_PLAYERS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds behind live that are plausible: a fragment is shown when the next one is whole. */
const LATENCY = [2, 16] as const;

/** Seconds that the stream waits for its encoder before it is over. */
const RECONNECT = 2;

/** For what was not played yet, and for the player to look again, in seconds. */
const PATIENCE = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set(`stream.reconnect = "${RECONNECT}s"`);
  await stage.listed(14);
});
afterAll(() => stage?.strike());

describe("a viewer by Smooth Streaming", () => {
  const viewers = new Map<Player, Viewer>();

  test.concurrent.for(SMOOTH_PLAYERS)("$name plays a live stream", async (player) => {
    const viewer = await stage.open(player);
    viewers.set(player, viewer);
    await started(viewer);
    const { latency } = await playsOn(viewer);
    await showsMotion(viewer);
    console.log(await viewer.report());
    expect(latency).toBeGreaterThan(LATENCY[0]);
    expect(latency).toBeLessThan(LATENCY[1]);
    expect(viewer.complaints).toEqual([]);
  });

  describe("of a stream whose encoder does not come back", () => {
    beforeAll(() => stage.offAir());

    test.concurrent.for(SMOOTH_PLAYERS)("$name plays to the end and says so", async (player) => {
      const viewer = viewers.get(player)!;
      try { await viewer.until("the end", RECONNECT + PATIENCE, ({ ended }) => ended); } finally { console.log(await viewer.report()); }
    });

    test.concurrent.for(SMOOTH_PLAYERS)("$name opened afterwards plays it again", async (player) => {
      const viewer = await stage.open(player);
      await started(viewer);
      await playsOn(viewer);
      await showsMotion(viewer);
      try { await viewer.until("the end", 60, ({ ended }) => ended); } finally { console.log(await viewer.report()); }
    });
  });
});

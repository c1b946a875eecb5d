import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { SMOOTH_PLAYERS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds behind live that are plausible: a fragment is shown when the next one is whole. */
const LATENCY = [2, 18] as const;

/** Seconds that the stream waits for its encoder before it is over. */
const RECONNECT = 2;

/** For what was not played yet, in seconds. */
const PATIENCE = 25;

/**
 * Of what was on air, the seconds that may be left: a player that takes it for live halts while something is left in its
 * buffer, which is no longer than its shorter track. rx-player was seen to halt with 0.42 s.
 */
const SHORT = 0.75;

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
    expect(latency).toBeGreaterThan(LATENCY[0]);
    expect(latency).toBeLessThan(LATENCY[1]);
    expect(viewer.complaints).toEqual([]);
  });

  describe("of a stream whose encoder does not come back", () => {
    beforeAll(() => stage.offAir());

    // Neither of them looks at a manifest again to learn that the stream is over: dash.js never does, rx-player does and
    // goes on taking it for live. So they stand still at the end and do not say that it is one.
    test.concurrent.for(SMOOTH_PLAYERS)("$name plays all that was on air", async (player) => {
      const viewer = viewers.get(player)!;
      const ends = await stage.smoothEnds(RECONNECT + PATIENCE);
      await viewer.until("the end", PATIENCE, ({ time }) => time >= ends - SHORT);
    });

    test.concurrent.for(SMOOTH_PLAYERS)("$name, opened afterwards, plays all of it and says so", async (player) => {
      await stage.smoothEnds(RECONNECT + PATIENCE);
      const viewer = await stage.open(player);
      await started(viewer);
      await playsOn(viewer);
      await showsMotion(viewer);
      await viewer.until("the end", 2 * PATIENCE, ({ ended }) => ended);
      expect(viewer.complaints).toEqual([]);
    });

    test.concurrent.for(SMOOTH_PLAYERS)("$name plays its recording from zero to its end", async (player) => {
      await stage.smoothEnds(RECONNECT + PATIENCE);
      const viewer = await stage.openRecording(player);
      const { time } = await started(viewer);
      expect(time).toBeLessThan(10);
      await showsMotion(viewer);
      const end = await viewer.until("the end", 2 * PATIENCE, ({ ended }) => ended);
      expect(end.time).toBeGreaterThan(14 - SHORT);
      expect(end.time).toBeLessThan(60);
      expect(viewer.complaints).toEqual([]);
    });
  });
});

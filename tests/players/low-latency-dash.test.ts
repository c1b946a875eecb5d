import { setTimeout as pause } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { LOW_LATENCY_DASH } from "./harness/players";
import { Stage } from "./harness/stage";
import { showsMotion, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds behind the encoder, with parts of half a second: what players are told is 1.5. */
const LATENCY = 2.5;

/** For how long nothing may stall, in seconds; `SECONDS=300` for a long look. */
const SECONDS = Number(process.env.SECONDS ?? 20);

/** For a player to find its place, in seconds. */
const SETTLE = 5;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.listed(8);
});
afterAll(() => stage?.strike());

describe("a viewer of a live stream by DASH with low latency", { timeout: (SECONDS + 60) * 1000 }, () => {
  // One after another: each is looked at by the clock.
  test.for(LOW_LATENCY_DASH)("$name stays within 2.5 s of the encoder and never stalls", async (player) => {
    const viewer = await stage.open(player);
    await started(viewer);
    await pause(SETTLE * 1000);
    const { behind, stalls } = await watch(viewer, SECONDS);
    await showsMotion(viewer);
    await viewer.close();
    expect(stalls, `behind by ${behind}`).toEqual([]);
    expect(Math.max(...behind)).toBeLessThan(LATENCY + 0.3);
    expect(median(behind)).toBeLessThan(LATENCY);
    expect(viewer.complaints).toEqual([]);
  });
});

/** Looks twice a second: how far it is behind, and where it stood still. The timeline of a live MPD is Unix time. */
async function watch(viewer: Viewer, seconds: number): Promise<{ behind: number[]; stalls: number[] }> {
  const [behind, stalls]: [number[], number[]] = [[], []];
  let last = await viewer.state();
  const end = last.clock + seconds;
  while (last.clock < end) {
    await pause(500);
    const state = await viewer.state();
    behind.push(state.epoch - state.time);
    if (state.time - last.time < (state.clock - last.clock) / 2) stalls.push(state.time);
    last = state;
  }
  return { behind, stalls };
}

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

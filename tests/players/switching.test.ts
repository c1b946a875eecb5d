import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HEIGHTS, publishTwo } from "./harness/encoder";
import { REORDERED } from "./harness/low-latency";
import { DASH_JS, HLS_JS, SHAKA_DASH, SHAKA_HLS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";

const PLAYERS: Player[] = [HLS_JS, DASH_JS, SHAKA_HLS, SHAKA_DASH].map((player) => ({
  ...player,
  name: `${player.name} with two sizes`,
}));

/** hls.js lets go of what it was loading when it goes over, and may append before its own buffer is ready. */
const ITS_OWN = /networkError aborted|still processing an 'appendBuffer'/;

/** For the media of the other rendition to be reached, in seconds. */
const REACHED = 30;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.empty();
  await stage.onAir(publishTwo);
  await stage.listed(6, "video-180p.m3u8");
});
afterAll(() => stage?.strike());

describe("a viewer of an entry to which two encoders push", () => {
  test.concurrent.for(PLAYERS)("$name goes from one rendition to the other and back without a halt", async (player) => {
    const viewer = await stage.open(player);
    await started(viewer);
    for (const height of [...HEIGHTS, ...HEIGHTS]) {
      const from = await viewer.state();
      await viewer.choose(height);
      const to = await viewer.until(`${height} lines`, REACHED, (state) => state.height === height);
      // What is shown goes on: nothing is repeated and nothing is left out.
      expect(to.time - from.time).toBeGreaterThanOrEqual(0);
      expect(Math.abs(to.time - from.time - (to.clock - from.clock))).toBeLessThan(1);
    }
    await playsOn(viewer);
    await showsMotion(viewer);
    const { hiccups } = await viewer.state();
    expect(hiccups.filter((text) => !ITS_OWN.test(text))).toEqual([]);
    expect(viewer.complaints.filter((text) => !REORDERED.test(text))).toEqual([]);
  });
});

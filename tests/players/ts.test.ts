import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HLS_JS, SHAKA_HLS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";

/** Players that make fragments of MPEG-TS themselves. */
const PLAYERS: Player[] = [HLS_JS, SHAKA_HLS].map((player) => ({
  ...player,
  name: `${player.name} in MPEG-TS`,
  manifest: "ts/master.m3u8",
}));

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
});
afterAll(() => stage?.strike());

describe("a viewer of a live stream as MPEG-TS", () => {
  test.concurrent.for(PLAYERS)("$name plays over the ends of segments without a word", async (player) => {
    const viewer = await stage.open(player);
    // Pictures with B-frames begin two frames after time 0; hls.js may go there before the browser does, and says so.
    const { hiccups: atStart } = await started(viewer);
    await playsOn(viewer);
    await showsMotion(viewer);
    const { hiccups } = await playsOn(viewer);
    expect(hiccups).toEqual(atStart);
    expect(viewer.complaints).toEqual([]);
  });
});

import { afterAll, beforeAll, describe, test } from "vitest";

import { changing, CHANGE, HEIGHTS } from "./harness/encoder";
import { PLAYERS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import type { Viewer } from "./harness/viewer";
import { playsOn, started } from "./harness/watching";

let stage: Stage;
let viewers: Map<Player, Viewer>;

beforeAll(async () => {
  stage = await Stage.empty();
  await stage.onAir(() => changing(stage.srtUrl));
  // Shaka 5.2 looks for captions in several segments of a playlist, and fails where one of few is still being made.
  await stage.listed(6);
  viewers = await stage.openAll(PLAYERS);
  await Promise.all([...viewers.values()].map(started));
});
afterAll(() => stage?.strike());

describe("a viewer of a stream by SRT whose picture changes its size", () => {
  test.concurrent.for(PLAYERS)("$name goes on with the other size", async (player) => {
    const viewer = viewers.get(player)!;
    await viewer.until("the other size", CHANGE + 20, ({ height }) => height === HEIGHTS[0]);
    await playsOn(viewer);
  });
});

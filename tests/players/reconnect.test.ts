import { afterAll, beforeAll, describe, test } from "vitest";

import { PLAYERS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, started } from "./harness/watching";
import type { State, Viewer } from "./harness/viewer";

/** For what was not played yet, and the outage itself, in seconds. */
const PATIENCE = 30;

let stage: Stage;
let viewers: Map<Player, Viewer>;
/** Where there was nothing more from the encoder that went away, in media seconds. */
const edges = new Map<Player, number>();

beforeAll(async () => {
  stage = await Stage.set();
  // Shaka 5.2 looks for captions in several segments of a playlist, and fails where one of few is still being made.
  await stage.listed(6);
  viewers = await stage.openAll(PLAYERS);
  await Promise.all([...viewers.values()].map(started));
  for (const [player, viewer] of viewers) edges.set(player, edge(await viewer.state()));
  await stage.offAir();
  await stage.onAir();
});
afterAll(() => stage?.strike());

describe("a viewer of a stream whose encoder loses its connection and comes back at once", () => {
  test.concurrent.for(PLAYERS)("$name goes on with what is new", async (player) => {
    const viewer = viewers.get(player)!;
    await viewer.until("what came after", PATIENCE, ({ time }) => time > edges.get(player)! + 1);
    await playsOn(viewer);
  });
});

/** Where what there is ends, in media seconds. */
function edge({ range, buffered }: State): number {
  return Math.max(range.at(-1) ?? 0, ...buffered.map(([, end]) => end));
}

import { afterAll, beforeAll, describe, test } from "vitest";

import { PLAYERS, SHAKA_DASH, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds that a stream waits for its encoder. */
const RECONNECT = 4;

/** For what was not played yet at an outage, and the outage itself, in seconds. */
const PATIENCE = 30;

let stage: Stage;
let viewers: Map<Player, Viewer>;

beforeAll(async () => {
  stage = await Stage.set(`stream.reconnect = "${RECONNECT}s"`);
  const opened = PLAYERS.map(async (player) => [player, await stage.open(player)] as const);
  viewers = new Map(await Promise.all(opened));
  await Promise.all([...viewers.values()].map(started));
});
afterAll(() => stage?.strike());

describe("a viewer of a stream whose encoder comes back at once", () => {
  const edges = new Map<Player, number>();
  beforeAll(async () => {
    for (const [player, viewer] of viewers) edges.set(player, await edge(viewer));
    await stage.offAir();
    await stage.onAir();
  });

  test.concurrent.for(PLAYERS)("$name goes on with what is new", async (player) => {
    const viewer = viewers.get(player)!;
    await viewer.until("what came after", PATIENCE, ({ time }) => time > edges.get(player)! + 1);
    await playsOn(viewer);
  });
});

describe("a viewer of a stream whose encoder does not come back", () => {
  beforeAll(() => stage.offAir());

  const noticing = PLAYERS.filter((player) => player !== SHAKA_DASH);
  test.concurrent.for(noticing)("$name plays to the end and says so", (player) => ends(viewers.get(player)!));

  // Where an MPD becomes static, Shaka adds mediaPresentationDuration to the start of what can be seeked in, as if
  // times began at zero then (ISO/IEC 23009-1 §5.3.1.2 has them unchanged), and waits for media that far ahead.
  test.concurrent.fails("known: Shaka on DASH waits for more", () => ends(viewers.get(SHAKA_DASH)!));
});

/** Where what a viewer has or can have ends now, in media seconds. */
async function edge(viewer: Viewer): Promise<number> {
  const { range, buffered } = await viewer.state();
  return Math.max(range.at(-1) ?? 0, ...buffered.map(([, end]) => end));
}

async function ends(viewer: Viewer): Promise<void> {
  await viewer.until("the end", RECONNECT + PATIENCE / 2, ({ ended }) => ended);
}

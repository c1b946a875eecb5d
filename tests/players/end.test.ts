import { afterAll, beforeAll, describe, test } from "vitest";

import { PLAYERS, SHAKA_DASH, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, started } from "./harness/watching";
import type { Viewer } from "./harness/viewer";

/** Seconds that the stream waits for its encoder before it is over. */
const RECONNECT = 2;

/** For what was not played yet, and for the player to look again, in seconds. */
const PATIENCE = 15;

let stage: Stage;
let viewers: Map<Player, Viewer>;

beforeAll(async () => {
  stage = await Stage.set(`stream.reconnect = "${RECONNECT}s"`);
  // Shaka 5.2 looks for captions in several segments of a playlist, and fails where one of few is still being made.
  await stage.listed(6);
  viewers = await stage.openAll(PLAYERS);
  await Promise.all([...viewers.values()].map(started));
  await Promise.all([...viewers.values()].map(playsOn));
  await stage.offAir();
});
afterAll(() => stage?.strike());

describe("a viewer of a stream whose encoder does not come back", () => {
  const noticing = PLAYERS.filter((player) => player !== SHAKA_DASH);
  test.concurrent.for(noticing)("$name plays to the end and says so", (player) => ends(viewers.get(player)!));

  // Where an MPD becomes static, Shaka 5.2 adds mediaPresentationDuration to the start of what can be seeked in, as if
  // the presentation began there (ISO/IEC 23009-1 §5.3.1.2: it does not move), and waits for media that far ahead.
  test.concurrent.fails("known: Shaka on DASH waits for more", () => ends(viewers.get(SHAKA_DASH)!));
});

async function ends(viewer: Viewer): Promise<void> {
  await viewer.until("the end", RECONNECT + PATIENCE, ({ ended }) => ended);
}

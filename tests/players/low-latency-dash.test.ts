import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { LOW_LATENCY_DASH, staysNear } from "./harness/low-latency";
import { Stage } from "./harness/stage";

/** Seconds behind the encoder, with parts of half a second: what the MPD asks for is 1.5. */
const BEHIND = 2.5;

/** How long a player has to stay there. */
const SECONDS = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.listed(8);
});
afterAll(() => stage?.strike());

describe("a viewer of segments that grow", () => {
  test.for(LOW_LATENCY_DASH)("$name stays two and a half seconds behind at most", async (player) => {
    const viewer = await stage.open(player);
    const { median: latency } = await staysNear(viewer, SECONDS);
    expect(latency).toBeLessThan(BEHIND);
    expect(viewer.complaints).toEqual([]);
    console.log(`${player.name}: ${latency.toFixed(2)} s behind`);
    await viewer.close();
  });
});

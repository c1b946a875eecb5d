import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { BEHIND, LOW_LATENCY_PLAYERS, REORDERED, staysNear } from "./harness/low-latency";
import { Stage } from "./harness/stage";
import { until } from "./harness/until";

/** How long a player has to stay near live. */
const SECONDS = 20;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.listed(8);
});
afterAll(() => stage?.strike());

describe("a viewer of parts", () => {
  test.for(LOW_LATENCY_PLAYERS)("$name stays three seconds behind at most, and waits for what comes", async (player) => {
    const viewer = await stage.open(player);
    const { median: latency } = await staysNear(viewer, SECONDS);
    expect(latency).toBeLessThan(BEHIND);
    const waiting = async () => ((await stage.server.metric("headwater_http_blocked_requests")) > 0 ? true : undefined);
    await until("a request that waits", 10, waiting, () => viewer.report());
    expect(viewer.complaints.filter((complaint) => !REORDERED.test(complaint))).toEqual([]);
    console.log(`${player.name}: ${latency.toFixed(2)} s behind`);
    await viewer.close();
  });
});

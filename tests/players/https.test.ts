import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { trusting } from "./harness/browser";
import { BEHIND, LOW_LATENCY_PLAYERS, staysNear } from "./harness/low-latency";
import { Stage } from "./harness/stage";

/** How long the player has to stay near live. */
const SECONDS = 10;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set("tls.self_signed = true", trusting);
  await stage.listed(8);
});
afterAll(() => stage?.strike());

describe("a viewer of parts over HTTPS", () => {
  test("stays three seconds behind at most, over HTTP/2 alone", async () => {
    const viewer = await stage.openSecure(LOW_LATENCY_PLAYERS[0]!);
    const { median: latency } = await staysNear(viewer, SECONDS);
    expect(latency).toBeLessThan(BEHIND);
    expect(await viewer.protocols()).toEqual(["h2"]);
    expect(viewer.complaints).toEqual([]);
    console.log(`over HTTP/2: ${latency.toFixed(2)} s behind`);
    await viewer.close();
  });
});

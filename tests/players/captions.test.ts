import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { SPOKEN, publishCaptioned } from "./harness/captions";
import { HLS_JS, SHAKA_DASH, SHAKA_HLS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { started } from "./harness/watching";

/**
 * In low latency hls.js 1.7.4 forgets half a caption at each part: its timeline controller takes every part of a segment
 * but the first for a jump. So it is given whole segments.
 */
const HLS_JS_WHOLE: Player = { ...HLS_JS, name: "hls.js on whole segments", manifest: "master.m3u8?ll=0" };
const HLS_JS_IN_TS: Player = { ...HLS_JS, name: "hls.js in MPEG-TS", manifest: "ts/master.m3u8" };

/**
 * Where captions are switched on Shaka 5.2.12 fetches the last segment's pictures once more. What it puts over what was
 * there adds nothing to the buffer, and its debug build takes that for a fault of the encoder.
 */
const PUT_OVER = /Possible encoding problem detected.*Unexpected buffered range/;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.empty();
  await stage.onAir(publishCaptioned);
  await stage.listed(1);
});
afterAll(() => stage?.strike());

describe("a viewer who wants captions that the pictures carry", () => {
  test.concurrent.for([HLS_JS_WHOLE, HLS_JS_IN_TS, SHAKA_HLS, SHAKA_DASH])("$name shows them", async (player) => {
    const viewer = await stage.open(player);
    await started(viewer);
    // The caption that was on its way when the player came is not looked at: it may have half of it.
    await viewer.caption(new RegExp(`^${SPOKEN} \\d+$`), 20);
    await viewer.picture(`captions-${player.name.replaceAll(" ", "-")}`);
    expect(viewer.complaints.filter((it) => !PUT_OVER.test(it))).toEqual([]);
  });
});

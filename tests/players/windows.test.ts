import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { PLAYERS, SHAKA_HLS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { until } from "./harness/until";
import type { State } from "./harness/viewer";
import { playsOn, started } from "./harness/watching";

/** Live playlists list three segments of 2 s; all of it is held. */
const SETTINGS = `
packager.window = "6s"
dvr = { window = "5m", memory = "100MB" }
`;

/** What there is to look back at, in seconds. */
const PAST = 16;

/** For a window that moves to have left much of where it was, in seconds. */
const WHILE = 8;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set(SETTINGS);
  await until(`${PAST} s to look back at`, 40, async () => {
    const answer = await fetch(stage.url("master.m3u8").replace("master", "video-1") + "?start=0");
    const lengths = [...(await answer.text()).matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
    return lengths.reduce((sum, length) => sum + length, 0) >= PAST;
  });
});
afterAll(() => stage?.strike());

describe("a viewer who looks back", () => {
  test.concurrent.for(PLAYERS)("$name plays a live stream from its beginning on", async (player) => {
    const viewer = await stage.open(player, `?start=-${PAST - 2}`);
    await started(viewer);
    const { clock, range } = await playsOn(viewer);
    const [start = NaN, end = NaN] = range;
    expect(end - start).toBeGreaterThan(8);
    await viewer.seek(start + 0.5);
    const { frames } = await viewer.state();
    await viewer.until("playing there", 10, (state) => state.frames > frames && state.time < start + 8);
    const later = await viewer.until("a while", 20, (state) => state.clock > clock + WHILE);
    // A window that went on with the stream would have left all of that time. dash.js counts it back from now, by a depth
    // that is as old as its MPD, two seconds and the way here.
    expect(Math.abs((later.range[0] ?? NaN) - start), "nothing leaves it").toBeLessThan(WHILE / 2);
    expect(viewer.complaints).toEqual([]);
  });

  test.concurrent.for(PLAYERS)("$name plays a clip of it to its end", async (player) => {
    const viewer = await stage.open(player, "?start=3&end=7");
    await started(viewer);
    const { time } = await viewer.until("the end", 25, (state) => state.ended || stands(player, state));
    expect(time).toBeGreaterThan(5);
    expect(time).toBeLessThan(7);
    expect(viewer.complaints).toEqual([]);
  });
});

/** Shaka 5.2 on HLS on demand stands still a frame or two before the end, with all of it in the buffer, and never says so. */
function stands(player: Player, { time, range: [, end = Infinity] }: State): boolean {
  return player === SHAKA_HLS && time > end - 0.1;
}

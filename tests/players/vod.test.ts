import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { RATE } from "./harness/clip";
import { DASH_JS, HLS_JS, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { until } from "./harness/until";
import type { State, Viewer } from "./harness/viewer";
import { playsOn, started } from "./harness/watching";

/** Seconds that the stream waits for its encoder before it is over. */
const RECONNECT = 2;

/** What is on air before the encoder goes, in seconds. */
const SHOW = 10;

/** For what was not played yet, and for the player to look again, in seconds. */
const PATIENCE = 15;

/** From the end of the stream to all of it on demand, in seconds: one is promised, and a machine does other things too. */
const SOON = 2;

const ON_DEMAND: Player[] = [HLS_JS, DASH_JS];

let stage: Stage;
let viewers: Map<Player, Viewer>;
/** How long it took from the end to all of it on demand, in seconds. */
let seam: number;

beforeAll(async () => {
  stage = await Stage.set(`stream.reconnect = "${RECONNECT}s"`);
  await stage.listed(SHOW / 2);
  viewers = await stage.openAll(ON_DEMAND);
  await Promise.all([...viewers.values()].map(started));
  await stage.listed(SHOW);
  await stage.offAir();
  const mpd = async () => (await fetch(stage.url("manifest.mpd"))).text();
  const ended = await until("the end", RECONNECT + PATIENCE, async () => {
    return (await mpd()).includes('type="static"') ? performance.now() : undefined;
  });
  await until("all of it on demand", PATIENCE, async () => !(await mpd()).includes("availabilityStartTime"));
  seam = (performance.now() - ended) / 1000;
});
afterAll(() => stage?.strike());

describe("a show that is over", () => {
  test("is on demand soon", () => expect(seam).toBeLessThan(SOON));

  test.for(ON_DEMAND)("ends in $name for who watched it live, with its last picture", async (player) => {
    const viewer = viewers.get(player)!;
    const state = await viewer.until("the end", RECONNECT + PATIENCE, (state) => state.ended || stands(state));
    expect(left(state)).toBeLessThan(1);
    await viewer.close();
  });

  test.for(ON_DEMAND)("plays in $name from its first frame to its last", async (player) => {
    const frames = player === DASH_JS ? await together() : await recorded();
    const viewer = await stage.open(player);
    const begun = await started(viewer);
    expect(begun.range[0]).toBeCloseTo(0, 1);
    expect(begun.time).toBeLessThan(3);
    const end = await viewer.until("the end", frames / RATE + PATIENCE, ({ ended }) => ended);
    expect(end.time).toBeCloseTo(frames / RATE, 0);
    expect(Math.abs(end.decoded - frames)).toBeLessThanOrEqual(player === DASH_JS ? 1 : 0);
    expect(viewer.complaints).toEqual([]);
    await viewer.close();
  });

  test.for(ON_DEMAND)("is live again in $name when it is, and stays for who watches the recording", async (player) => {
    const late = await stage.open(player);
    await started(late);
    await stage.onAir();
    await until("live again", 20, async () => {
      return (await (await fetch(stage.url("manifest.mpd"))).text()).includes('type="dynamic"');
    });
    const live = await stage.open(player);
    await started(live);
    await playsOn(live);
    expect((await live.state()).latency).toBeLessThan(10);
    await late.until("the end of the recording", 3 * SHOW + PATIENCE, ({ ended }) => ended);
    expect(late.complaints).toEqual([]);
    await stage.offAir();
    await Promise.all([live.close(), late.close()]);
    await until("the end", RECONNECT + PATIENCE, async () => {
      return (await (await fetch(stage.url("manifest.mpd"))).text()).includes('type="static"');
    });
  });
});

/** Seconds in the buffer that were not played. */
function left({ time, buffered }: State): number {
  return Math.max(...buffered.map(([, end]) => end)) - time;
}

/**
 * hls.js 1.7 does not say that it is over where a live playlist ends with a gap, as that of the sound does when its encoder
 * loses its power within a picture's segment. It has played all there is.
 */
function stands(state: State): boolean {
  return state.hiccups.some((text) => text.includes("GAP")) && left(state) < 0.2;
}

/**
 * Frames of the recording as its MPD counts them: up to where pictures and sound both are. An encoder that loses its power
 * leaves them a few frames apart, and a player that waits for both would wait for ever.
 */
async function together(): Promise<number> {
  const mpd = await (await fetch(stage.url("manifest.mpd"))).text();
  return Math.ceil(Number(/mediaPresentationDuration="PT([\d.]+)S"/.exec(mpd)?.[1]) * RATE);
}

/** Frames of the recording: what its playlist lists, at the rate of the picture. */
async function recorded(): Promise<number> {
  const text = await (await fetch(stage.url("master.m3u8"))).text();
  const child = /^video-1\.m3u8.*$/m.exec(text)?.[0] ?? "";
  const playlist = await (await fetch(stage.url("master.m3u8").replace("master.m3u8", child))).text();
  const lengths = [...playlist.matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
  return Math.round(lengths.reduce((sum, length) => sum + length, 0) * RATE);
}

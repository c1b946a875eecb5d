import { homedir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { Child } from "./harness/child";
import { DASH_JS, HLS_JS, SHAKA_DASH, type Player } from "./harness/players";
import { Stage } from "./harness/stage";
import { playsOn, showsMotion, started } from "./harness/watching";

/** An FFmpeg that sends these codecs over RTMP, which `scripts/setup --tests` installs. */
const FFMPEG =
  process.env.HEADWATER_FFMPEG ??
  join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "headwater/ffmpeg/bin/ffmpeg");

const SOURCE =
  "-hide_banner -nostdin -loglevel warning -re -f lavfi -i testsrc2=size=320x180:rate=25 -re -f lavfi -i sine=sample_rate=48000";

const CODECS: { name: string; coded: string; players: Player[] }[] = [
  {
    name: "AV1 and Opus",
    coded: "-c:v libsvtav1 -preset 12 -g 50 -pix_fmt yuv420p -c:a libopus -ac 2",
    players: [HLS_JS, SHAKA_DASH],
  },
  {
    name: "VP9 and FLAC",
    coded: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50 -pix_fmt yuv420p -c:a flac -ac 2",
    players: [DASH_JS, HLS_JS],
  },
];

describe("a viewer of codecs beside H.264 and AAC", () => {
  test.for(CODECS)("sees $name", async ({ coded, players }) => {
    const stage = await Stage.empty();
    try {
      await stage.onAir(async (url) => new Child(FFMPEG, `${SOURCE} ${coded} -f flv ${url}`.split(" ")));
      await stage.listed(1);
      for (const viewer of (await stage.openAll(players)).values()) {
        await started(viewer);
        await showsMotion(viewer);
        await playsOn(viewer);
        expect(viewer.complaints).toEqual([]);
      }
    } finally {
      await stage.strike();
    }
  });
});

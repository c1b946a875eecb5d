import type { Browser } from "puppeteer-core";

import { chromium, firefox } from "../harness/browser";
import { Child, run } from "../harness/child";
import { DASH_JS, HLS_JS, SHAKA_DASH, SHAKA_HLS, type Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, showsMotion, started } from "../harness/watching";
import { cell } from "./cell";
import { newFfmpeg, version } from "./tools";

/** What is encoded, and what of it ffprobe has to find. */
interface Pair {
  name: string;
  coded: string;
  found: [string, string];
}

const SOURCE = "-hide_banner -nostdin -loglevel warning -re -f lavfi -i testsrc2=size=320x180:rate=25 -re -f lavfi -i sine=sample_rate=48000";

const AV1: Pair = {
  name: "AV1 and Opus",
  coded: "-c:v libsvtav1 -preset 12 -g 50 -pix_fmt yuv420p -c:a libopus -ac 2",
  found: ["av1", "opus"],
};
const VP9: Pair = {
  name: "VP9 and FLAC",
  coded: "-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 50 -pix_fmt yuv420p -c:a flac -ac 2",
  found: ["vp9", "flac"],
};
const HEVC: Pair = {
  name: "H.265 and AAC",
  coded:
    "-c:v libx265 -preset ultrafast -x265-params log-level=none:open-gop=0 -g 50 -pix_fmt yuv420p -c:a aac -ac 2",
  found: ["hevc", "aac"],
};
const DOLBY: Pair = {
  name: "H.265 and E-AC-3",
  coded: "-c:v libx265 -preset ultrafast -x265-params log-level=none -g 50 -pix_fmt yuv420p -c:a eac3 -ac 6",
  found: ["hevc", "eac3"],
};

const newer = await newFfmpeg();
const tool = "ffmpeg from PyPI";
const number = await version(newer, "-version");

/** Has an encoder publish a pair by Enhanced RTMP, and looks at it with ffprobe and with players in a browser. */
function pair({ name, coded, found }: Pair, browser: () => Promise<Browser>, players: Player[]): void {
  const place = { table: "Codecs", tool: `${tool}: ${name}`, version: number } as const;
  const publish = async (url: string) => new Child(newer, `${SOURCE} ${coded} -f flv ${url}`.split(" "));
  let stage: Stage;
  cell({ ...place, column: "what arrives, by ffprobe" }, async () => {
    stage = await Stage.empty("", browser);
    await stage.onAir(publish);
    await stage.listed(1);
    const entries = "stream=codec_name";
    const of = (manifest: "master.m3u8" | "manifest.mpd") =>
      run("ffprobe", ["-v", "error", "-show_entries", entries, "-of", "csv=p=0", stage.url(manifest)], 60);
    for (const said of [await of("master.m3u8"), await of("manifest.mpd")]) {
      const missing = found.filter((codec) => !said.includes(codec));
      if (missing.length > 0) throw new Error(`no ${missing.join(" and ")}: ${said}`);
    }
    return "HLS and DASH";
  });
  for (const player of players) {
    cell({ ...place, column: player.name }, async () => {
      const viewer = await stage.open(player);
      await started(viewer);
      await showsMotion(viewer);
      const { latency } = await playsOn(viewer);
      return `plays, ${latency.toFixed(1)} s behind live`;
    });
  }
  cell({ ...place, column: "the end" }, async () => {
    await stage.strike();
    return "clean";
  });
}

const PLAYERS = [HLS_JS, DASH_JS, SHAKA_HLS, SHAKA_DASH];
pair(AV1, chromium, PLAYERS);
pair(VP9, chromium, PLAYERS);
// Debian's Chromium has no H.265, Firefox has no Dolby.
pair(HEVC, firefox, [HLS_JS]);
pair(DOLBY, chromium, []);

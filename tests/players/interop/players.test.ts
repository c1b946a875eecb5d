import { afterAll, beforeAll } from "vitest";

import { chromium, firefox } from "../harness/browser";
import type { Manifest } from "../harness/headwater";
import { NATIVE_HLS, PLAYERS, SMOOTH_PLAYERS, type Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, showsMotion, started } from "../harness/watching";
import { cell, type Known } from "./cell";
import { ffmpeg, gstreamer, gstreamerOlder, mpv, streamlink, vlc, ytDlp } from "./command-line";
import { newFfmpeg, packaged, python, version } from "./tools";

const BROWSERS = [
  { name: "Chromium", version: await version("chromium"), open: chromium, players: [...PLAYERS, ...SMOOTH_PLAYERS, NATIVE_HLS] },
  { name: "Firefox", version: await version("firefox-esr"), open: firefox, players: PLAYERS },
];

/** A stage for each browser; the tools play from the first. */
const stages: Stage[] = [];
beforeAll(async () => {
  for (const { open } of BROWSERS) stages.push(await Stage.set("", open));
  await stages[0]!.listed(20);
});
afterAll(() => Promise.all(stages.map((stage) => stage.strike())));

const column = {
  "master.m3u8": "HLS",
  "manifest.mpd": "DASH",
  Manifest: "Smooth",
  "ts/master.m3u8": "HLS of MPEG-TS",
} as const;

type Column = (typeof column)[keyof typeof column];

/** Lets a page's player play in a browser. */
async function page(stage: Stage, player: Player): Promise<string> {
  const viewer = await stage.open(player);
  try {
    await started(viewer);
    const { latency } = await playsOn(viewer);
    await showsMotion(viewer);
    return Number.isFinite(latency) ? `plays, ${latency.toFixed(1)} s behind live` : "plays";
  } finally {
    await viewer.close();
  }
}

for (const [at, browser] of BROWSERS.entries()) {
  for (const player of browser.players) {
    const tool = `${player.name.split(" on ")[0]} in ${browser.name} ${browser.version}`;
    const place = { table: "Players", tool, version: player.version, column: column[player.manifest as Manifest] } as const;
    cell(place, () => page(stages[at]!, player));
  }
}

/** A tool that is given every manifest but that of Smooth. */
function both(tool: string, number: string, play: (url: string) => Promise<string>, known: Limits = {}): void {
  for (const [manifest, name] of Object.entries(column)) {
    if (name !== "Smooth") given(manifest as Manifest, tool, number, play, known);
  }
}

/** A tool that is given one manifest. */
function given(
  manifest: Manifest,
  tool: string,
  number: string,
  play: (url: string) => Promise<string>,
  known: Limits = {},
): void {
  const place = { table: "Players", tool, version: number, column: column[manifest] } as const;
  cell(place, () => play(stages[0]!.url(manifest)), known[column[manifest]]);
}

type Limits = Partial<Record<Column, Known>>;

const MPV: Limits = {
  DASH: {
    sign: /frames where at least/,
    reason: "begins late or ends early: libav asks for segments that do not exist yet, and gives up over the answer",
  },
};

const GSTREAMER: Limits = {
  DASH: {
    sign: /30 s without 100 frames/,
    reason:
      "no picture: GStreamer adds the time of the first S to that within a repeated one, which leads beyond the list " +
      "where Period@start is far from zero",
  },
};

const GSTREAMER_SMOOTH: Limits = {
  Smooth: {
    sign: /30 s without 100 frames/,
    reason: "no picture: GStreamer's newer demuxer waits a second before a live fragment, and then again, without end",
  },
};

const STREAMLINK: Limits = {
  DASH: {
    sign: /No scheme supplied/,
    reason: "streamlink takes the Location of an MPD for an absolute URL; it may be relative (ISO/IEC 23009-1 §5.6.5)",
  },
};

const newer = await newFfmpeg();
both("ffmpeg", await version("ffmpeg", "-version"), ffmpeg("ffmpeg"));
both("ffmpeg from PyPI", await version(newer, "-version"), ffmpeg(newer));
both("mpv", await version("mpv"), mpv, MPV);
both("VLC", await packaged("vlc-bin"), vlc);
both("GStreamer playbin3", await version("gst-launch-1.0"), gstreamer, GSTREAMER);
given("Manifest", "VLC", await packaged("vlc-bin"), vlc);
const gst = await version("gst-launch-1.0");
given("Manifest", "GStreamer playbin3", gst, gstreamer, GSTREAMER_SMOOTH);
given("Manifest", "GStreamer playbin with mssdemux", gst, gstreamerOlder);
both("streamlink", await version(python("streamlink")), streamlink, STREAMLINK);
both("yt-dlp", await version(python("yt-dlp")), ytDlp);

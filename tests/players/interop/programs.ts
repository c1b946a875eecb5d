import type { Limits } from "./browsers";
import { ffmpeg, gstreamer, gstreamerOlder, mpv, streamlink, vlc, ytDlp } from "./command-line";
import type { Form } from "./forms";
import { newFfmpeg, packaged, python, version } from "./tools";

/** A program that plays or fetches from a command line, and what it is given. */
export interface Program {
  /** As its users call it. */
  name: string;
  version: string;
  play: (url: string) => Promise<string>;
  live: Form[];
  onDemand: Form[];
  /** What is known to fail live, and on demand. */
  known?: { live?: Limits; onDemand?: Limits };
}

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
const [libav, libav9, gst] = await Promise.all([
  version("ffmpeg", "-version"),
  version(newer, "-version"),
  version("gst-launch-1.0"),
]);

const COMMON: Form[] = ["HLS", "DASH", "HLS of MPEG-TS"];
const OLDER = "GStreamer playbin with mssdemux";
const BY_ID: Form = "Smooth, by the recording's id";

export const PROGRAMS: Program[] = [
  { name: "ffmpeg", version: libav, play: ffmpeg("ffmpeg"), live: COMMON, onDemand: COMMON },
  { name: "ffmpeg from PyPI", version: libav9, play: ffmpeg(newer), live: COMMON, onDemand: COMMON },
  { name: "mpv", version: await version("mpv"), play: mpv, live: COMMON, onDemand: COMMON, known: { live: MPV } },
  {
    name: "VLC",
    version: await packaged("vlc-bin"),
    play: vlc,
    live: [...COMMON, "Smooth"],
    onDemand: [...COMMON, "Smooth", BY_ID],
  },
  {
    name: "GStreamer playbin3",
    version: gst,
    play: gstreamer,
    live: [...COMMON, "Smooth"],
    onDemand: [...COMMON, "Smooth", BY_ID],
    known: { live: GSTREAMER },
  },
  { name: OLDER, version: gst, play: gstreamerOlder, live: ["Smooth"], onDemand: ["Smooth", BY_ID] },
  {
    name: "streamlink",
    version: await version(python("streamlink")),
    play: streamlink,
    live: COMMON,
    onDemand: COMMON,
    known: { live: STREAMLINK },
  },
  { name: "yt-dlp", version: await version(python("yt-dlp")), play: ytDlp, live: COMMON, onDemand: COMMON },
];

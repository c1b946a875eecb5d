import { join } from "node:path";

import { Child, run } from "../harness/child";
import { until } from "../harness/until";
import { moving, scratch } from "./frames";
import { python } from "./tools";

/** Seconds of media that are asked for. */
const SECONDS = 5;

/** Frames that are due of them: nobody begins on a whole second, and some drop the last. */
const DUE = 100;

/** For a player to find its way in and play, in seconds. */
const PATIENCE = 60;

/** Lets FFmpeg's tools play a URL or a file, frame by frame. */
export const ffmpeg = (command: string) => (url: string) =>
  scratch(async (folder) => {
    const words = ["-hide_banner", "-nostdin", "-loglevel", "error", "-i", url, "-t", `${SECONDS}`];
    await run(command, [...words, join(folder, "%04d.png")], PATIENCE);
    return `plays: ${moving(folder, DUE)} frames`;
  });

/** Lets mpv play in time, its pictures as files. */
export const mpv = (url: string) =>
  scratch(async (folder) => {
    const picture = [
      "--vo=image",
      "--vo-image-format=png",
      "--vo-image-png-compression=1",
      `--vo-image-outdir=${folder}`,
    ];
    await run("mpv", ["--no-config", ...picture, "--ao=null", `--length=${SECONDS}`, url], PATIENCE);
    return `plays: ${moving(folder, DUE)} frames`;
  });

/** VLC refuses to run as root, so it is nobody who watches; every fifth of its frames is a file. */
export const vlc = (url: string) =>
  scratch((folder) => {
    const silent = ["--no-color", "--intf=dummy", "--vout=dummy", "--aout=dummy"];
    const scene = ["--video-filter=scene", "--scene-format=png", "--scene-ratio=5", `--scene-path=${folder}`];
    const uid = process.getuid?.() === 0 ? 65534 : undefined;
    const player = new Child("cvlc", [...silent, ...scene, url], { uid, env: { HOME: folder }, cwd: folder });
    return watched(player, folder, DUE / 5).then((count) => `plays: ${5 * count} frames`);
  });

/** Lets GStreamer's playbin3 play in time, its pictures as files. */
export const gstreamer = (url: string) => playbin("playbin3", url, {});

/** The same with the older playbin, and the older of the two demuxers for Smooth. */
export const gstreamerOlder = (url: string) => playbin("playbin", url, { GST_PLUGIN_FEATURE_RANK: "mssdemux2:NONE" });

const playbin = (element: string, url: string, env: Record<string, string>) =>
  scratch((folder) => {
    const sink = `videoconvert ! pngenc compression-level=1 ! multifilesink sync=true location=${folder}/%05d.png`;
    const words = ["-q", element, `uri=${url}`, `video-sink=${sink}`, "audio-sink=fakesink sync=true"];
    const player = new Child("gst-launch-1.0", words, { env });
    return watched(player, folder, DUE).then((count) => `plays: ${count} frames`);
  });

/** Waits for a player that does not stop by itself to have written its frames, and stops it. */
async function watched(player: Child, folder: string, due: number): Promise<number> {
  try {
    return await until(
      `${due} frames`,
      PATIENCE / 2,
      () => attempt(() => moving(folder, due)),
      () => player.output.slice(-1500),
    );
  } finally {
    await player.stop(2);
  }
}

/** What `of` returns, nothing where it throws. */
function attempt<T>(of: () => T): T | undefined {
  try {
    return of();
  } catch {
    return undefined;
  }
}

/** Lets streamlink fetch a few seconds, and ffmpeg decode them. */
export const streamlink = (url: string) =>
  scratch(async (folder) => {
    const file = join(folder, "got");
    const protocol = url.endsWith(".mpd") ? "dash" : "hls";
    const words = ["--no-config", "--stream-segmented-duration", "8", "-o", file, "-f", `${protocol}://${url}`, "best"];
    await run(python("streamlink"), words, PATIENCE / 2);
    return fetched(file);
  });

/** Lets yt-dlp fetch a few seconds, for which it calls ffmpeg, and ffmpeg decode them. */
export const ytDlp = (url: string) =>
  scratch(async (folder) => {
    const file = join(folder, "got.mp4");
    const some = ["--downloader", "ffmpeg", "--downloader-args", "ffmpeg_o:-t 8"];
    await run(python("yt-dlp"), ["--no-config", "-q", "--no-progress", ...some, "-o", file, url], PATIENCE);
    return fetched(file);
  });

async function fetched(file: string): Promise<string> {
  return (await ffmpeg("ffmpeg")(file)).replace("plays", "fetches");
}

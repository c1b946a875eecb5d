import { run } from "../harness/child";
import { HLS_JS } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, showsMotion, started } from "../harness/watching";
import { cell } from "./cell";
import { ffmpeg, gstreamer, gstreamerSrt, obs, transmit, type OnAir } from "./encoders";
import { newFfmpeg, packaged, version } from "./tools";

type By = "RTMP" | "SRT";

/** Has an encoder publish to a server of its own, and looks at it with ffprobe and hls.js. */
function encoder(tool: string, number: string, publish: (url: string) => Promise<OnAir>, by: By = "RTMP"): void {
  const place = { table: "Encoders", tool, version: number } as const;
  let stage: Stage;
  let onAir: OnAir;
  cell({ ...place, column: "what arrives, by ffprobe" }, async () => {
    stage = await Stage.empty();
    onAir = await publish(by === "RTMP" ? stage.publishUrl : stage.srtUrl);
    await stage.listed(1).catch((error: Error) => Promise.reject(new Error(`${error.message}\n${onAir.output}`)));
    return probe(stage.url("master.m3u8"));
  });
  cell({ ...place, column: "hls.js" }, async () => {
    try {
      const viewer = await stage.open(HLS_JS);
      await started(viewer);
      const { latency } = await playsOn(viewer);
      await showsMotion(viewer);
      return `plays, ${latency.toFixed(1)} s behind live`;
    } finally {
      await onAir.stop();
      await stage.strike();
    }
  });
}

async function probe(url: string): Promise<string> {
  const entries = "stream=codec_name,profile,width,height,avg_frame_rate,has_b_frames,sample_rate,channels";
  const said = await run("ffprobe", ["-v", "error", "-show_entries", entries, "-of", "json", url], 60);
  const { streams } = JSON.parse(said) as { streams: Record<string, string | number>[] };
  const [video, audio] = [streams.find((stream) => stream.width), streams.find((stream) => stream.channels)];
  if (!video || !audio) throw new Error(`not picture and sound: ${said}`);
  const [frames, seconds] = String(video.avg_frame_rate).split("/").map(Number);
  const rate = (frames! / seconds!).toFixed(0);
  const picture = `${video.codec_name} ${video.profile} ${video.width}×${video.height} ${rate} fps, ${video.has_b_frames} B-frames`;
  return `${picture}; ${audio.codec_name} ${audio.sample_rate} Hz`;
}

const newer = await newFfmpeg();
encoder("ffmpeg", await version("ffmpeg", "-version"), ffmpeg("ffmpeg"));
encoder("ffmpeg from PyPI", await version(newer, "-version"), ffmpeg(newer));
const gst = await version("gst-launch-1.0");
encoder("GStreamer rtmp2sink", gst, gstreamer);
encoder("ffmpeg by SRT", await version("ffmpeg", "-version"), ffmpeg("ffmpeg"), "SRT");
encoder("ffmpeg from PyPI by SRT", await version(newer, "-version"), ffmpeg(newer), "SRT");
encoder("srt-live-transmit", await packaged("srt-tools"), transmit, "SRT");
encoder("GStreamer srtsink", gst, gstreamerSrt, "SRT");

const studio = await packaged("obs-studio");
encoder("OBS, keyframe interval 2 s", studio, obs("keyint=60"));
encoder("OBS as it comes, keyframe interval 250 frames", studio, obs(""));
encoder("OBS by SRT, keyframe interval 2 s", studio, obs("keyint=60"), "SRT");

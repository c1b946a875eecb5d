import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Child } from "../harness/child";
import { clip } from "../harness/clip";
import { until } from "../harness/until";

/** An encoder that is on air until it is stopped. */
export interface OnAir {
  stop(): Promise<unknown>;
  /** What it says. */
  output: string;
}

/** FFmpeg as its users start it: it encodes, in real time. */
export const ffmpeg =
  (command: string) =>
  async (url: string): Promise<OnAir> => {
    const source =
      "-hide_banner -nostdin -re -f lavfi -i testsrc2=size=640x360:rate=30 -f lavfi -i sine=sample_rate=48000";
    const coded = "-c:v libx264 -preset ultrafast -bf 2 -g 60 -pix_fmt yuv420p -b:v 900k -c:a aac -b:a 96k";
    const format = url.startsWith("rtmp:") ? "flv" : "mpegts";
    return new Child(command, [...source.split(" "), ...coded.split(" "), "-f", format, url]);
  };

/** srt-live-transmit, which is given MPEG-TS as an encoder in hardware sends it. */
export async function transmit(url: string): Promise<OnAir> {
  const port = await freePort();
  const relay = new Child("srt-live-transmit", [`udp://127.0.0.1:${port}`, url]);
  const encoder = await ffmpeg("ffmpeg")(`udp://127.0.0.1:${port}?pkt_size=1316`);
  return {
    get output() {
      return encoder.output + relay.output;
    },
    stop: async () => {
      await encoder.stop();
      await relay.stop(5);
    },
  };
}

/** A port for UDP that was free a moment ago. */
async function freePort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** GStreamer with rtmp2sink: 44.1 kHz, and times of its own making. */
export const gstreamer = (url: string): Promise<OnAir> =>
  pipeline(`flvmux name=mux streamable=true ! rtmp2sink location=${url}`);

/** GStreamer with srtsink. */
export const gstreamerSrt = (url: string): Promise<OnAir> =>
  pipeline(`mpegtsmux name=mux alignment=7 ! srtsink uri=${url}`);

async function pipeline(sink: string): Promise<OnAir> {
  const picture =
    "videotestsrc is-live=true pattern=zone-plate kx2=20 ky2=20 kt=1 ! video/x-raw,format=I420,width=640,height=360,framerate=30/1";
  const coded = "x264enc key-int-max=60 bframes=2 speed-preset=ultrafast bitrate=900 ! h264parse ! mux.";
  const tone = "audiotestsrc is-live=true ! audio/x-raw,rate=44100 ! avenc_aac ! aacparse ! mux.";
  return new Child("gst-launch-1.0", ["-q", ...`${sink} ${picture} ! ${coded} ${tone}`.split(" ")]);
}

/** OBS in a display that nobody sees, from a profile that plays a file. `x264` are options of its encoder. */
export const obs =
  (x264: string) =>
  async (url: string): Promise<OnAir> => {
    const home = mkdtempSync(join(tmpdir(), "headwater-obs-"));
    await profile(home, url, x264);
    const display = new Child("Xvfb", ["-displayfd", "1", "-screen", "0", "1280x720x24", "-nolisten", "tcp"]);
    const number = await until(
      "a display",
      20,
      () => /^\d+$/m.exec(display.output)?.[0],
      () => display.output,
    );
    const words = ["--startstreaming", "--minimize-to-tray", "--profile", "hw", "--collection", "hw", "--multi"];
    const environment = { HOME: home, XDG_CONFIG_HOME: join(home, ".config"), DISPLAY: `:${number}` };
    const studio = new Child("obs", [...words, "--disable-updater"], { env: environment });
    return {
      get output() {
        return studio.output;
      },
      stop: async () => {
        await studio.stop(5);
        await display.stop();
        rmSync(home, { recursive: true, force: true });
      },
    };
  };

async function profile(home: string, url: string, x264: string): Promise<void> {
  const folder = join(home, ".config/obs-studio");
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  const at = url.lastIndexOf("/");
  // By SRT the key is in the stream id.
  const [server, key] = url.startsWith("srt:") ? [url, ""] : [url.slice(0, at), url.slice(at + 1)];
  const media = { local_file: await clip(), looping: true, is_local_file: true, hw_decode: false };
  const item = { name: "C", id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 2, y: 2 } };
  const sources = [
    { id: "ffmpeg_source", name: "C", settings: media },
    { id: "scene", name: "S", settings: { items: [item] } },
  ];
  const scene = { current_scene: "S", current_program_scene: "S", scene_order: [{ name: "S" }] };
  write("global.ini", GLOBAL);
  write("basic/profiles/hw/basic.ini", BASIC + (x264 ? `UseAdvanced=true\nx264Settings=${x264}\n` : "") + VIDEO);
  const service = { type: "rtmp_custom", settings: { server, key, use_auth: false } };
  write("basic/profiles/hw/service.json", JSON.stringify(service));
  write("basic/scenes/hw.json", JSON.stringify({ name: "hw", ...scene, sources }));
}

const GLOBAL = `[General]
FirstRun=true
LastVersion=486539266
InfoIncrement=3
[Basic]
Profile=hw
ProfileDir=hw
SceneCollection=hw
SceneCollectionFile=hw
`;

const BASIC = `[General]
Name=hw
[Output]
Mode=Simple
[SimpleOutput]
VBitrate=1500
ABitrate=128
StreamEncoder=x264
Preset=ultrafast
`;

const VIDEO = `[Video]
BaseCX=640
BaseCY=360
OutputCX=640
OutputCY=360
FPSCommon=30
[Audio]
SampleRate=48000
`;

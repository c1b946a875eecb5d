import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Child, run } from "./child";
import { clip, RATE } from "./clip";
import { kept } from "./paths";

/** An ffmpeg that publishes the test picture in real time, over and over, without encoding it anew. */
export async function publish(url: string, ffmpeg = "ffmpeg"): Promise<Child> {
  const words = "-hide_banner -nostdin -loglevel warning -re -stream_loop -1 -i".split(" ");
  return new Child(ffmpeg, [...words, await clip(), "-c", "copy", "-f", "flv", url]);
}

/** Heights of the renditions that {@link publishTwo} publishes. */
export const HEIGHTS = [360, 180] as const;

/** An ffmpeg that publishes the test picture in two sizes, each over a connection of its own: `KEY_360p` and `KEY_180p`. */
export async function publishTwo(url: string): Promise<Child> {
  const inputs = await Promise.all(HEIGHTS.map((height) => clip(`${(height * 16) / 9}x${height}`)));
  const words = inputs.flatMap((input) => [..."-re -stream_loop -1 -i".split(" "), input]);
  const outputs = HEIGHTS.flatMap((height, at) => ["-map", `${at}`, ..."-c copy -f flv".split(" "), `${url}_${height}p`]);
  return new Child("ffmpeg", [..."-hide_banner -nostdin -loglevel warning".split(" "), ...words, ...outputs]);
}

/** Seconds of the smaller picture that {@link changing} publishes first. */
export const CHANGE = 24;

/** An ffmpeg that publishes one MPEG-TS by SRT, whose picture is the smaller of {@link HEIGHTS} and then the larger. */
export async function changing(url: string): Promise<Child> {
  const words = "-hide_banner -nostdin -loglevel warning -re -f mpegts -i".split(" ");
  return new Child("ffmpeg", [...words, await twoSizes(), ..."-c copy -f mpegts".split(" "), url]);
}

/** Both sizes, one behind the other on one timeline. It is written beside and renamed. */
async function twoSizes(): Promise<string> {
  const pieces = [...HEIGHTS].reverse().map((height, at) => ({ size: `${(height * 16) / 9}x${height}`, from: at * CHANGE }));
  const name = createHash("sha256").update(JSON.stringify(pieces)).digest("hex").slice(0, 16);
  const file = join(kept("sources"), `${name}.ts`);
  if (existsSync(file)) return file;
  const parts = pieces.map((_, at) => join(kept("sources"), `${name}.${process.pid}.${at}`));
  for (const [at, { size, from }] of pieces.entries()) {
    const seconds = at === 0 ? CHANGE : 2 * CHANGE;
    const frames = ["-t", `${seconds}`, "-frames:v", `${seconds * RATE}`];
    const read = ["-v", "error", "-y", "-i", await clip(size), ...frames];
    await run("ffmpeg", [...read, ..."-c copy -output_ts_offset".split(" "), `${from}`, "-f", "mpegts", parts[at]!], 60);
  }
  writeFileSync(parts[0]!, Buffer.concat(parts.map((part) => readFileSync(part))));
  renameSync(parts[0]!, file);
  return file;
}

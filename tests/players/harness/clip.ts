import { createHash } from "node:crypto";
import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";

import { run } from "./child";
import { kept } from "./paths";

/**
 * A test picture with a running clock and a tone, encoded once and kept between runs. 48 s are whole frames of both:
 * 1200 of the picture, 2250 of the sound, so that it can be repeated without a hole.
 */
const SECONDS = 48;

/** Frames a second of the picture. */
export const RATE = 25;

const picture = (size: string): string => `testsrc2=size=${size}:rate=${RATE}:duration=${SECONDS}`;
const TONE = `sine=frequency=440:sample_rate=48000:duration=${SECONDS}`;
const VIDEO = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -bf 2 -g 50 -keyint_min 50 -sc_threshold 0";
const AUDIO = "-c:a aac -b:a 64k -ac 2";

/** The file. It is written beside and renamed, so that a run that was cut off leaves nothing half. */
export async function clip(size = "320x180"): Promise<string> {
  const words = [..."-hide_banner -nostdin -loglevel error -y -f lavfi -i".split(" "), picture(size)];
  words.push("-f", "lavfi", "-i", TONE, ...VIDEO.split(" "), ...AUDIO.split(" "));
  const name = createHash("sha256").update(words.join(" ")).digest("hex").slice(0, 16);
  const file = join(kept("sources"), `${name}.mp4`);
  if (!existsSync(file)) {
    const part = join(kept("sources"), `${name}.${process.pid}.part`);
    await run("ffmpeg", [...words, "-f", "mp4", part], 60);
    renameSync(part, file);
  }
  return file;
}

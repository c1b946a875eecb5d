import { createHash } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { Child, run } from "./child";
import { RATE, clip } from "./clip";
import { kept } from "./paths";

/** What every caption begins with. */
export const SPOKEN = "HEADWATER";

/** Seconds from caption to caption. */
const EACH = 2;

/** A frame's pair of bytes of field 1, without parity (CTA-608). */
type Pair = [number, number];

/** Bytes for the frames of one caption: load it, say where, write it, show it; padding in between. */
function popOn(text: string): Pair[] {
  const control = (code: number): Pair[] => [
    [0x14, code],
    [0x14, code],
  ];
  const letters = [...text.padEnd(text.length + (text.length % 2))].map((letter) => letter.charCodeAt(0));
  const pairs: Pair[] = [...control(0x20), ...control(0x2e), ...control(0x70)];
  for (let at = 0; at < letters.length; at += 2) pairs.push([letters[at]!, letters[at + 1]!]);
  pairs.push(...control(0x2f));
  while (pairs.length < EACH * RATE) pairs.push([0, 0]);
  return pairs;
}

/** With odd parity. */
function odd(byte: number): number {
  const ones = [...byte.toString(2)].filter((digit) => digit === "1").length;
  return ones % 2 === 0 ? byte | 0x80 : byte;
}

/** An SEI NAL unit that carries a pair (ATSC A/53 Part 4 §6.2.3). Its bytes need no escaping: no two are zero. */
function sei([first, second]: Pair): Buffer {
  const captions = [0xb5, 0x00, 0x31, ...Buffer.from("GA94"), 3, 0x41, 0xff, 0xfc, odd(first), odd(second), 0xff];
  return Buffer.from([0, 0, 0, 1, 6, 4, captions.length, ...captions, 0x80]);
}

/** Where the access units of a byte stream begin: each has a delimiter. */
function delimiters(stream: Buffer): number[] {
  const found = [];
  const code = Buffer.from([0, 0, 0, 1, 9]);
  for (let at = stream.indexOf(code); at >= 0; at = stream.indexOf(code, at + 1)) found.push(at);
  return found;
}

/** The pictures of a byte stream with a caption every two seconds. */
function captioned(stream: Buffer): Buffer {
  const units = delimiters(stream);
  const pieces = units.flatMap((start, frame) => {
    const caption = popOn(`${SPOKEN} ${Math.floor(frame / RATE / EACH)}`);
    const unit = stream.subarray(start, units[frame + 1]);
    // A delimiter has six bytes, and SEI comes before everything of the picture but parameter sets.
    const slice = firstSlice(unit);
    return [unit.subarray(0, slice), sei(caption[frame % (EACH * RATE)]!), unit.subarray(slice)];
  });
  return Buffer.concat(pieces);
}

function firstSlice(unit: Buffer): number {
  for (let at = 0; at + 3 < unit.length; at++) {
    const [kind] = unit.readUIntBE(at, 3) === 1 ? [unit[at + 3]! & 0x1f] : [0];
    // Its start code may have four bytes.
    if (kind >= 1 && kind <= 5) return unit[at - 1] === 0 ? at - 1 : at;
  }
  return unit.length;
}

/** The test clip without B-frames, in the order in which captions are read, with captions of CEA-608 in it. */
async function captionedClip(): Promise<string> {
  const source = await clip();
  const file = join(kept("sources"), `${createHash("sha256").update(`${source} captions 1`).digest("hex").slice(0, 16)}.mp4`);
  if (existsSync(file)) return file;
  const quiet = "-hide_banner -nostdin -loglevel error -y".split(" ");
  const [plain, marked, part] = ["plain.h264", "marked.h264", "part"].map((name) => `${file}.${process.pid}.${name}`);
  const codec = "-an -c:v libx264 -preset ultrafast -bf 0 -g 50 -keyint_min 50 -sc_threshold 0 -x264-params aud=1";
  await run("ffmpeg", [...quiet, "-i", source, ...codec.split(" "), "-f", "h264", plain!], 60);
  writeFileSync(marked!, captioned(readFileSync(plain!)));
  const inputs = ["-framerate", `${RATE}`, "-i", marked!, "-i", source, "-map", "0:v", "-map", "1:a", "-c", "copy"];
  await run("ffmpeg", [...quiet, ...inputs, "-f", "mp4", part!], 60);
  renameSync(part!, file);
  return file;
}

/** An ffmpeg that publishes pictures with captions in real time, over and over. */
export async function publishCaptioned(url: string): Promise<Child> {
  const words = "-hide_banner -nostdin -loglevel warning -re -stream_loop -1 -i".split(" ");
  return new Child("ffmpeg", [...words, await captionedClip(), "-c", "copy", "-f", "flv", url]);
}

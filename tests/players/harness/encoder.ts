import { Child } from "./child";
import { clip } from "./clip";

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

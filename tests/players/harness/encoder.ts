import { Child } from "./child";
import { clip } from "./clip";

/** An ffmpeg that publishes the test picture in real time, over and over, without encoding it anew. */
export async function publish(url: string, ffmpeg = "ffmpeg"): Promise<Child> {
  const words = "-hide_banner -nostdin -loglevel warning -re -stream_loop -1 -i".split(" ");
  return new Child(ffmpeg, [...words, await clip(), "-c", "copy", "-f", "flv", url]);
}

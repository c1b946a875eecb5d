import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Child } from "./child";
import { BINARY } from "./paths";
import { until } from "./until";

/** What a player can be given. */
export type Manifest = "master.m3u8" | "manifest.mpd" | "ts/master.m3u8" | "Manifest";

/** The same, wanted in another form. */
export type Wanted = Manifest | "master.m3u8?ll=0";

/** A media playlist. */
export type Playlist = `video-${string}.m3u8`;

/** What is below an entry. */
type Resource = Wanted | Playlist;

/** The real binary with a data directory of its own, on ports that were free. */
export class Headwater {
  #folder = mkdtempSync(join(tmpdir(), "headwater-players-"));
  #child!: Child;
  #http = "127.0.0.1:0";
  #rtmp = "127.0.0.1:0";
  #https = "127.0.0.1:0";
  #srt = "127.0.0.1:0";

  /** `settings` is TOML beside the listeners and the streams; each of `entries` has the key `key-ENTRY`. */
  static async start(settings: string, entries: string[]): Promise<Headwater> {
    const server = new Headwater();
    const streams = entries.map((entry) => `[[streams]]\nentry = "${entry}"\nkey = "key-${entry}"\n`);
    writeFileSync(join(server.#folder, "headwater.toml"), [settings, ...streams].join("\n"));
    await server.#serve();
    return server;
  }

  /** Where an encoder publishes to an entry. */
  publishUrl(entry: string): string {
    return `rtmp://${this.#rtmp}/live/key-${entry}`;
  }

  /** The same by SRT. */
  srtUrl(entry: string): string {
    return `srt://${this.#srt}?streamid=publish:key-${entry}`;
  }

  /** What a viewer opens, or what is below it. */
  url(entry: string, resource: Resource): string {
    return `http://${this.#http}/play/${entry}/${resource}`;
  }

  /** The same over TLS, where the settings ask for it. */
  secureUrl(entry: string, resource: Resource): string {
    return `https://${this.#https}/play/${entry}/${resource}`;
  }

  /** The id of the one recording of an entry. */
  recording(entry: string): string {
    const ids = readdirSync(join(this.#folder, "data", "recordings", entry)).filter((name) => name.startsWith("rec_"));
    if (ids.length !== 1) throw new Error(`recordings of ${entry}: ${ids}`);
    return ids[0]!;
  }

  /** A number among its metrics. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`http://${this.#http}/metrics`)).text();
    const line = text.split("\n").find((line) => line.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no ${name} among the metrics`);
    return Number(line.slice(name.length + 1));
  }

  /** Waits for the playlist of an entry to list `seconds` of media. */
  async listed(entry: string, seconds: number, playlist: Playlist = "video-1.m3u8"): Promise<void> {
    const enough = async () => {
      const answer = await fetch(this.url(entry, playlist));
      const lengths = [...(await answer.text()).matchAll(/#EXTINF:([\d.]+)/g)].map(([, length]) => Number(length));
      return answer.ok && lengths.reduce((sum, length) => sum + length, 0) >= seconds;
    };
    await until(`${seconds} s of ${entry}`, 20 + seconds, enough, () => this.log);
  }

  /** Waits for the Smooth manifest of an entry to be over; returns when its video ends, in seconds of Unix time. */
  async smoothEnds(entry: string, patience: number): Promise<number> {
    const end = async () => {
      const text = await (await fetch(this.url(entry, "Manifest"))).text();
      const [, time, duration] = /<c t="(\d+)" d="(\d+)"\/>\s*<\/StreamIndex>/.exec(text) ?? [];
      return text.includes("IsLive") || !time ? undefined : (Number(time) + Number(duration)) / 1e7;
    };
    return until(`the end of ${entry}`, patience, end, () => this.log);
  }

  /** What it said. */
  get log(): string {
    return this.#child.output;
  }

  /** Stops it as a deploy does and starts it again at the same address, with what it kept. */
  async restart(): Promise<void> {
    await this.#down();
    await this.#serve();
  }

  /** Stops it; throws where it did not stop well or had panicked before. */
  async stop(): Promise<void> {
    try {
      await this.#down();
    } finally {
      rmSync(this.#folder, { recursive: true, force: true });
    }
  }

  async #serve(): Promise<void> {
    const env = {
      HEADWATER_HTTP__LISTEN: this.#http,
      HEADWATER_RTMP__LISTEN: this.#rtmp,
      HEADWATER_HTTPS__LISTEN: this.#https,
      HEADWATER_RTMPS__LISTEN: "127.0.0.1:0",
      HEADWATER_SRT__LISTEN: this.#srt,
      // How full the disk of this machine is decides no test.
      HEADWATER_STORAGE__KEEP_FREE: "0B",
      NO_COLOR: "1",
    };
    const words = ["serve", "--config", "headwater.toml", "--data", "data"];
    this.#child = new Child(BINARY, words, { cwd: this.#folder, env });
    const line = /^headwater ready http=(\S+).* rtmp=(\S+).*/m;
    const ready = await until(
      "the ready line",
      10,
      () => line.exec(this.log),
      () => this.log,
    );
    [this.#http, this.#rtmp] = [ready[1]!, ready[2]!];
    this.#srt = / srt=(\S+)/.exec(ready[0])?.[1] ?? this.#srt;
    this.#https = / https=(\S+)/.exec(ready[0])?.[1] ?? this.#https;
  }

  async #down(): Promise<void> {
    const code = await this.#child.stop();
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${this.log}`);
    if (this.log.includes("panicked at")) throw new Error(`the server panicked:\n${this.log}`);
  }
}

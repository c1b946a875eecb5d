import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { Child } from "./child";
import { until } from "./until";

const TARGET = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../../../target");
const BINARY = join(TARGET, "debug/headwater");

/** The real binary with a data directory of its own. */
export class Server {
  private readonly folder = mkdtempSync(join(tmpdir(), "headwater-pages-"));
  private child!: Child;
  private http = "127.0.0.1:0";
  private rtmp = "127.0.0.1:0";

  /** Every entry has its own name as its key; `reconnect` is in seconds. */
  static async start(entries: string[], reconnect: number): Promise<Server> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: cargo build`);
    const server = new Server();
    const streams = entries.map((entry) => `[[streams]]\nentry = "${entry}"\nkey = "${entry}"\n`);
    writeFileSync(server.file("config.toml"), [`[stream]\nreconnect = "${reconnect}s"\n`, ...streams].join("\n"));
    await server.up();
    return server;
  }

  url(path: string): string {
    return `http://${this.http}${path}`;
  }

  /** An encoder, publishing to `entry`. */
  publish(entry: string): Child {
    const words =
      "-hide_banner -loglevel error -re -f lavfi -i testsrc2=size=320x180:rate=25 -f lavfi -i sine=sample_rate=48000 " +
      "-c:v libx264 -preset ultrafast -tune zerolatency -g 25 -pix_fmt yuv420p -b:v 300k -c:a aac -b:a 64k -f flv";
    return new Child("ffmpeg", [...words.split(" "), `rtmp://${this.rtmp}/live/${entry}`]);
  }

  /** Waits until `entry` has `segments` segments. */
  async aired(entry: string, segments: number): Promise<void> {
    await until(
      `${segments} segments of ${entry}`,
      30,
      async () => {
        const playlist = await fetch(this.url(`/play/${entry}/video-1.m3u8`)).then((answer) => answer.text());
        return playlist.split("#EXTINF").length > segments;
      },
      () => this.child.output,
    );
  }

  /** At the address where it was, with what it kept. */
  async up(): Promise<void> {
    const env = {
      HEADWATER_HTTP__LISTEN: this.http,
      HEADWATER_RTMP__LISTEN: this.rtmp,
      HEADWATER_SRT__ENABLED: "false",
      // How full the disk of this machine is decides no test.
      HEADWATER_STORAGE__KEEP_FREE: "0B",
    };
    this.child = new Child(BINARY, ["serve", "--config", this.file("config.toml"), "--data", this.file("data")], env);
    const line = /^headwater ready .*http=(\S+).* rtmp=(\S+)/m;
    const ready = await until(
      "the ready line",
      10,
      () => line.exec(this.child.output),
      () => this.child.output,
    );
    [this.http, this.rtmp] = [ready[1] ?? "", ready[2] ?? ""];
  }

  down(): Promise<void> {
    return this.child.stop("SIGTERM");
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
    if (this.child.output.includes("panicked")) throw new Error(this.child.output);
  }

  private file(name: string): string {
    return join(this.folder, name);
  }
}

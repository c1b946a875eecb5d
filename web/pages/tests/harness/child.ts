import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A process of ours; it dies with the tests, however they end. */
export class Child {
  output = "";
  private readonly process: ChildProcess;
  private readonly ended: Promise<unknown>;

  constructor(command: string, words: string[], env: Record<string, string> = {}) {
    this.process = spawn("setpriv", ["--pdeathsig", "KILL", command, ...words], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.ended = once(this.process, "exit");
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output = (this.output + text).slice(-65_536)));
    }
  }

  get running(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async stop(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    if (!this.running) return;
    this.process.kill(signal);
    await this.ended;
  }
}

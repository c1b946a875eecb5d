import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";

import { until } from "./until";

/** Characters of a child's output that are kept, the newest. */
const KEPT = 4 << 20;

export interface Options {
  cwd?: string;
  env?: Record<string, string>;
  /** The user it runs as; that of the tests where there is none. */
  uid?: number;
}

/** A process of ours. It dies with the tests, however they end. */
export class Child {
  #process: ChildProcess;
  #name: string;
  #ended: Promise<unknown>;
  #output = "";

  constructor(command: string, words: string[], options: Options = {}) {
    this.#name = `${command} ${words.join(" ")}`;
    const identity =
      options.uid === undefined ? [] : ["--reuid", `${options.uid}`, "--regid", `${options.uid}`, "--clear-groups"];
    this.#process = spawn("setpriv", [...identity, "--pdeathsig", "KILL", command, ...words], {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#ended = once(this.#process, "exit");
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.#output = (this.#output + text).slice(-KEPT)));
    }
  }

  /** What it said on stdout and stderr. */
  get output(): string {
    return this.#output;
  }

  get running(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Its exit code; null after a signal. */
  get code(): number | null {
    return this.#process.exitCode;
  }

  /** Waits for its end and returns what it said; throws where it failed or took longer than `seconds`. */
  async success(seconds: number): Promise<string> {
    await this.#end(seconds);
    if (this.code !== 0) throw new Error(`${this.#name}\nended with ${this.code}:\n${this.output.slice(-2000)}`);
    return this.output;
  }

  /** Waits for its end, however that is. */
  async end(seconds: number): Promise<string> {
    await this.#end(seconds);
    return this.output;
  }

  /** Asks it to stop, makes it after `seconds`; returns the exit code, null where a signal ended it. */
  async stop(seconds = 10): Promise<number | null> {
    if (this.running) this.#process.kill("SIGTERM");
    const late = setTimeout(() => this.#process.kill("SIGKILL"), seconds * 1000);
    if (this.running) await this.#ended;
    clearTimeout(late);
    return this.code;
  }

  /** What a power cut does to a process. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    if (this.running) await this.#ended;
  }

  async #end(seconds: number): Promise<void> {
    try {
      await until(
        `the end of ${this.#name}`,
        seconds,
        () => !this.running,
        () => this.output.slice(-2000),
      );
    } finally {
      await this.kill();
    }
  }
}

/** Runs a command to its end and returns what it said. */
export function run(command: string, words: string[], seconds: number, options: Options = {}): Promise<string> {
  return new Child(command, words, options).success(seconds);
}

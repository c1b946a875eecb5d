import { existsSync } from "node:fs";
import { join } from "node:path";

import { run } from "../harness/child";

/** Where scripts/interop puts what comes from PyPI. */
const VENV = process.env.INTEROP_VENV ?? "";

/** A command that came from PyPI. */
export const python = (name: string): string => join(VENV, "bin", name);

/** The FFmpeg that PyPI's imageio-ffmpeg brings, years newer than a distribution's. */
export async function newFfmpeg(): Promise<string> {
  const path = await run(python("python"), ["-c", "import imageio_ffmpeg as i; print(i.get_ffmpeg_exe())"], 30);
  if (!existsSync(path.trim())) throw new Error(`no ffmpeg at ${path}`);
  return path.trim();
}

/** The version of a command, as it says it: the first number with a dot in it that begins a word, after n or v at most. */
export async function version(command: string, option = "--version"): Promise<string> {
  const said = await run(command, [option], 30).catch((error: unknown) => String(error));
  return /(?<=^|\s[nv]?)\d+(\.\d+)+/.exec(said)?.[0] ?? "?";
}

/** The version of a Debian package. */
export async function packaged(name: string): Promise<string> {
  return (await run("dpkg-query", ["-W", "-f", "${Version}", name], 30)).replace(/^\d+:|[-+].*$/g, "");
}

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Picture } from "../harness/picture";

/** A folder for one attempt, which any user may write to. */
export async function scratch<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "headwater-interop-"));
  await chmod(folder, 0o777);
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The frames that a tool wrote as PNG files: at least `due`, with a picture on them, and moving. */
export function moving(folder: string, due: number): number {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith(".png"))
    .sort();
  if (files.length < due) throw new Error(`${files.length} frames where at least ${due} are due`);
  const [first, last] = [files[0]!, files.at(-1)!].map((name) => new Picture(readFileSync(join(folder, name))));
  const [contrast, change] = [last!.contrast, last!.differs(first!)];
  if (contrast < 30 || change < 0.01) throw new Error(`contrast ${contrast}, changed ${change}`);
  return files.length;
}

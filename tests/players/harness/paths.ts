import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "../../..");

/** Where cargo builds. */
const TARGET = process.env.CARGO_TARGET_DIR ?? join(ROOT, "target");

/** The server under test. */
export const BINARY = process.env.HEADWATER_BIN ?? join(TARGET, "debug/headwater");

/** An installed npm package's file. */
export const installed = (path: string): string => join(ROOT, "tests/players/node_modules", path);

/** A file of the repository. */
export const repository = (path: string): string => join(ROOT, path);

/** A folder that survives runs, beside what cargo built: sources, screenshots, records of failures. */
export function kept(...path: string[]): string {
  const folder = join(TARGET, "players", ...path);
  mkdirSync(folder, { recursive: true });
  return folder;
}

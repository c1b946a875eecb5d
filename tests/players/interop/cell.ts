import { test, type TestOptions } from "vitest";

/** Where a result stands: which table, which row, which column. */
export interface Place {
  table: "Players, live" | "Players, on demand" | "Low latency" | "Encoders" | "Codecs" | "Faults";
  /** The tool, as its users call it. */
  tool: string;
  /** As it was seen. */
  version: string;
  column: string;
}

/** A result for the table. */
export interface Cell extends Place {
  /** What was seen; empty where the attempt failed. */
  seen: string;
}

declare module "vitest" {
  interface TaskMeta {
    cell?: Cell;
  }
}

/** A failure that is known. */
export interface Known {
  /** How it shows: what the error then says. */
  sign: RegExp;
  /** Why it is so, and whose it is. */
  reason: string;
}

/**
 * Tries something and keeps what was seen for the table. What fails fails the run, unless it is known and fails as it
 * is known to; what is known and works all the same is shown as working.
 */
export function cell(place: Place, attempt: () => Promise<string>, known?: Known, options: TestOptions = {}): void {
  test(`${place.table}: ${place.tool}, ${place.column}`, options, async ({ task }) => {
    task.meta.cell = { ...place, seen: "" };
    try {
      task.meta.cell.seen = await attempt();
    } catch (error) {
      if (!known?.sign.test(String(error))) throw error;
      console.log(`known: ${String(error).slice(0, 2000)}`);
      task.meta.cell.seen = `known: ${known.reason}`;
    }
  });
}

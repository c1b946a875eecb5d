import { afterAll, beforeAll } from "vitest";

import { LOW_LATENCY_DASH, LOW_LATENCY_PLAYERS, staysNear } from "../harness/low-latency";
import type { Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { cell } from "./cell";

/** For how long each is watched. */
const SECONDS = Number(process.env.INTEROP_SECONDS ?? 60);

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.listed(8);
});
afterAll(() => stage?.strike());

/** Watches a player near live. */
async function watched(player: Player): Promise<string> {
  const viewer = await stage.open(player);
  try {
    const { nearest, median, farthest } = await staysNear(viewer, SECONDS);
    console.log(`${player.name}: ${nearest} to ${farthest}, ${median} at half of all looks`);
    return `${median.toFixed(1)} s behind the clock, never more than ${farthest.toFixed(1)} s; no halt in ${SECONDS} s`;
  } finally {
    await viewer.close();
  }
}

for (const [column, players] of [["HLS", LOW_LATENCY_PLAYERS], ["DASH", LOW_LATENCY_DASH]] as const) {
  for (const player of players) {
    const tool = player.name.split(" ")[0]!;
    const place = { table: "Low latency", tool, version: player.version, column } as const;
    cell(place, () => watched(player), undefined, { timeout: (SECONDS + 120) * 1000 });
  }
}

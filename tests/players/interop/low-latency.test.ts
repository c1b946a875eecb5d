import { afterAll, beforeAll } from "vitest";

import { LOW_LATENCY_DASH, LOW_LATENCY_PLAYERS, staysNear } from "../harness/low-latency";
import { Stage } from "../harness/stage";
import { cell } from "./cell";

/** Five minutes each. */
const SECONDS = 300;

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.set();
  await stage.listed(8);
});
afterAll(() => stage?.strike());

for (const player of [...LOW_LATENCY_PLAYERS, ...LOW_LATENCY_DASH]) {
  const { name: tool, version } = player;
  const place = { table: "Low latency", tool, version, column: "five minutes" } as const;
  cell(
    place,
    async () => {
      const viewer = await stage.open(player);
      try {
        return `plays without a halt, ${(await staysNear(viewer, SECONDS)).toFixed(1)} s behind the clock`;
      } finally {
        await viewer.close();
      }
    },
    undefined,
    SECONDS + 120,
  );
}

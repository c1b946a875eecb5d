import { afterAll, beforeAll } from "vitest";

import type { Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, showsMotion, started } from "../harness/watching";
import { BROWSERS } from "./browsers";
import { cell } from "./cell";
import { open, url, type Form } from "./forms";
import { PROGRAMS } from "./programs";

const table = "Players, live";

/** A stage for each browser; the programs play from the first. */
const stages: Stage[] = [];
beforeAll(async () => {
  for (const pages of BROWSERS) stages.push(await Stage.set("", pages.open));
  await stages[0]!.listed(20);
});
afterAll(() => Promise.all(stages.map((stage) => stage.strike())));

/** Lets a page's player play in a browser. */
async function page(stage: Stage, player: Player, form: Form): Promise<string> {
  const viewer = await open(stage, player, form);
  try {
    await started(viewer);
    const { latency } = await playsOn(viewer);
    await showsMotion(viewer);
    return Number.isFinite(latency) ? `plays, ${latency.toFixed(1)} s behind live` : "plays";
  } finally {
    await viewer.close();
  }
}

for (const [at, { browser, concurrent, players }] of BROWSERS.entries()) {
  for (const { name, player, live, known } of players) {
    const place = { table, tool: `${name} in ${browser}`, version: player.version } as const;
    for (const form of live) {
      cell({ ...place, column: form }, () => page(stages[at]!, player, form), known?.live?.[form], { concurrent });
    }
  }
}

for (const { name, version, play, live, known } of PROGRAMS) {
  const place = { table, tool: name, version } as const;
  for (const form of live) cell({ ...place, column: form }, () => play(url(stages[0]!, form)), known?.live?.[form]);
}

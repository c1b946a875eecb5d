import { afterAll, describe } from "vitest";

import { PLAYERS, type Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, started } from "../harness/watching";
import type { State, Viewer } from "../harness/viewer";
import { cell } from "./cell";
import { FAULTS, type Fault } from "./faults";

/** A viewer who is being put through a fault, and what there was before it. */
type Watching = Map<Player, { viewer: Viewer; before: State }>;

for (const fault of FAULTS) {
  describe(fault.name, () => {
    let stage: Stage | undefined;
    let watching: Promise<Watching> | undefined;
    afterAll(() => stage?.strike());

    const watch = async () => {
      stage = await Stage.set(fault.settings);
      return struck(stage, fault);
    };
    for (const player of PLAYERS) {
      const place = { table: "Faults", tool: player.name, version: player.version, column: fault.name } as const;
      const attempt = async () => {
        const { viewer, before } = (await (watching ??= watch())).get(player)!;
        return fault.through(viewer, before);
      };
      cell(place, attempt, fault.known.get(player));
    }
  });
}

/** Has all players play and lets the fault happen. */
async function struck(stage: Stage, fault: Fault): Promise<Watching> {
  const viewers = [...(await stage.openAll(PLAYERS))];
  await Promise.all(viewers.map(([, viewer]) => started(viewer)));
  await Promise.all(viewers.map(([, viewer]) => playsOn(viewer)));
  const watching = viewers.map(async ([player, viewer]) => [player, { viewer, before: await viewer.state() }] as const);
  const all = new Map(await Promise.all(watching));
  await fault.happen(stage);
  return all;
}

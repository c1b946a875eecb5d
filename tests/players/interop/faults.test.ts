import { afterAll, describe } from "vitest";

import { PLAYERS, type Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { playsOn, started } from "../harness/watching";
import { cell } from "./cell";
import { FAULTS, type Fault } from "./faults";

/** What viewers come to who are put through a fault, or how they fail. */
type Outcomes = Map<Player, PromiseSettledResult<string>>;

for (const fault of FAULTS) {
  describe(fault.name, () => {
    let stage: Stage | undefined;
    let outcomes: Promise<Outcomes> | undefined;
    afterAll(() => stage?.strike());

    const watch = async () => {
      stage = await Stage.set(fault.settings);
      // Shaka 5.2 looks for captions in several segments of a playlist, and fails where one of few is still being made.
      await stage.listed(6);
      return struck(stage, fault);
    };
    for (const player of PLAYERS) {
      const place = { table: "Faults", tool: player.name, version: player.version, column: fault.name } as const;
      const attempt = async () => {
        const outcome = (await (outcomes ??= watch())).get(player)!;
        if (outcome.status === "rejected") throw outcome.reason;
        return outcome.value;
      };
      cell(place, attempt, fault.known.get(player));
    }
  });
}

/** Has all players play, lets the fault happen, and sees them all through it at the same time. */
async function struck(stage: Stage, fault: Fault): Promise<Outcomes> {
  const viewers = [...(await stage.openAll(PLAYERS))];
  await Promise.all(viewers.map(([, viewer]) => started(viewer)));
  await Promise.all(viewers.map(([, viewer]) => playsOn(viewer)));
  const before = await Promise.all(viewers.map(([, viewer]) => viewer.state()));
  await fault.happen(stage);
  const outcomes = await Promise.allSettled(viewers.map(([, viewer], at) => fault.through(viewer, before[at]!)));
  return new Map(viewers.map(([player], at) => [player, outcomes[at]!]));
}

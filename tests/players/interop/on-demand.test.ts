import { afterAll, beforeAll } from "vitest";

import type { Player } from "../harness/players";
import { Stage } from "../harness/stage";
import { until } from "../harness/until";
import { playsOn, showsMotion, started } from "../harness/watching";
import { BROWSERS } from "./browsers";
import { cell } from "./cell";
import { open, url, type Form } from "./forms";
import { PROGRAMS } from "./programs";

const table = "Players, on demand";

/** What is recorded, in seconds: more than anything here plays of it at a stretch. */
const SHOW = 14;

/** From the end of it from which a player is to play on to the end, in seconds. */
const LAST = 3;

/** For a player to get to the end from there, in seconds. */
const PATIENCE = 15;

/** A stage for each browser, whose show is over; the programs play from the first. */
let stages: Stage[] = [];
beforeAll(async () => {
  stages = await Promise.all(BROWSERS.map((pages) => recorded(pages.open)));
}, 90_000);
afterAll(() => Promise.all(stages.map((stage) => stage.strike())));

/** A stage on which a show was, which is on demand under the URLs that it had live. */
async function recorded(browser: (typeof BROWSERS)[number]["open"]): Promise<Stage> {
  const stage = await Stage.set('stream.reconnect = "2s"', browser);
  await stage.listed(SHOW);
  await stage.offAir();
  await until("the show on demand", 20, async () => {
    const mpd = await (await fetch(stage.url("manifest.mpd"))).text();
    return mpd.includes('type="static"') && !mpd.includes("availabilityStartTime");
  });
  return stage;
}

/** Waits for Smooth under the entry's own URL to count from zero, which players with a clock of their own need. */
async function fromZero(stage: Stage): Promise<void> {
  const manifest = async () => (await fetch(stage.url("Manifest"))).text();
  await until("times from zero", 90, async () => (await manifest()).includes('<c t="0"'));
}

/** Lets a page's player play the beginning, and, after a seek, the end. */
async function page(stage: Stage, player: Player, form: Form): Promise<string> {
  const viewer = await open(stage, player, form);
  try {
    const { time, range } = await started(viewer);
    const [start = NaN, end = NaN] = range;
    if (!(time < start + 3)) throw new Error(`begins at ${time} of ${start} to ${end}`);
    await playsOn(viewer);
    await showsMotion(viewer);
    await viewer.seek(end - LAST);
    const last = await viewer.until("the end", PATIENCE, ({ ended }) => ended);
    if (!(last.time > end - 1)) throw new Error(`ends at ${last.time} of ${start} to ${end}`);
    return "plays from beginning to end";
  } finally {
    await viewer.close();
  }
}

for (const [at, { browser, concurrent, players }] of BROWSERS.entries()) {
  for (const { name, player, onDemand, known } of players) {
    const place = { table, tool: `${name} in ${browser}`, version: player.version } as const;
    for (const form of onDemand) {
      const attempt = () => page(stages[at]!, player, form);
      cell({ ...place, column: form }, attempt, known?.onDemand?.[form], { concurrent });
    }
  }
}

for (const { name, version, play, onDemand, known } of PROGRAMS) {
  const place = { table, tool: name, version } as const;
  for (const form of onDemand) {
    const attempt = async () => {
      if (form === "Smooth") await fromZero(stages[0]!);
      return play(url(stages[0]!, form));
    };
    cell({ ...place, column: form }, attempt, known?.onDemand?.[form]);
  }
}

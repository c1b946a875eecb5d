import type { Browser } from "puppeteer-core";

import { chromium, firefox } from "../harness/browser";
import { DASH_JS, DASH_JS_SMOOTH, HLS_JS, NATIVE_HLS, RX_DASH, RX_SMOOTH, SHAKA_HLS, type Player } from "../harness/players";
import type { Known } from "./cell";
import type { Form } from "./forms";
import { version } from "./tools";

/** A browser, and what is played in its pages. */
export interface Pages {
  /** Its name and version. */
  browser: string;
  open: () => Promise<Browser>;
  /** Whether it shows several pages at once; what it does not show it does not decode. */
  concurrent: boolean;
  players: Page[];
}

/** A player in a page, and what it is given. */
export interface Page {
  /** The player, as its users call it. */
  name: string;
  player: Player;
  live: Form[];
  onDemand: Form[];
  /** What is known to fail live, and on demand. */
  known?: { live?: Limits; onDemand?: Limits };
}

/** What is known to fail, and why. */
export type Limits = Partial<Record<Form, Known>>;

const ANY_HLS: Form[] = ["HLS", "HLS of MPEG-TS"];
const SMOOTH: Form[] = ["Smooth", "Smooth, by the recording's id"];

const PLAYERS: Page[] = [
  { name: "hls.js", player: HLS_JS, live: ANY_HLS, onDemand: ANY_HLS },
  { name: "dash.js", player: DASH_JS, live: ["DASH"], onDemand: ["DASH"] },
  { name: "dash.js", player: DASH_JS_SMOOTH, live: ["Smooth"], onDemand: SMOOTH },
  { name: "Shaka", player: SHAKA_HLS, live: [...ANY_HLS, "DASH"], onDemand: [...ANY_HLS, "DASH"] },
  { name: "rx-player", player: RX_DASH, live: ["DASH"], onDemand: ["DASH"] },
  { name: "rx-player", player: RX_SMOOTH, live: ["Smooth"], onDemand: SMOOTH },
];

const RX_SOUND: Known = {
  sign: /MEDIA_ERR_SRC_NOT_SUPPORTED/,
  reason:
    "rx-player writes into the header of the sound that its configuration has two bytes, and Firefox refuses one that has " +
    "five, as FFmpeg's AAC does",
};

const SMOOTH_IN_FIREFOX: Limits = { Smooth: RX_SOUND, "Smooth, by the recording's id": RX_SOUND };

const BUILT_IN: Page = { name: "built in", player: NATIVE_HLS, live: ANY_HLS, onDemand: ANY_HLS };

export const BROWSERS: Pages[] = [
  { browser: `Chromium ${await version("chromium")}`, open: chromium, concurrent: true, players: [...PLAYERS, BUILT_IN] },
  { browser: `Firefox ${await version("firefox-esr")}`, open: firefox, concurrent: false, players: PLAYERS.map(inFirefox) },
];

function inFirefox(page: Page): Page {
  return page.player === RX_SMOOTH ? { ...page, known: { live: SMOOTH_IN_FIREFOX, onDemand: SMOOTH_IN_FIREFOX } } : page;
}

import { readFileSync } from "node:fs";

import { playDash } from "../page/dash";
import { playHls } from "../page/hls";
import { playNative } from "../page/native";
import { playRx } from "../page/rx";
import { playShaka } from "../page/shaka";
import type { Wanted } from "./headwater";
import { installed } from "./paths";

/** A player that runs in a page, and what it is given. */
export interface Player {
  name: string;
  version: string;
  manifest: Wanted;
  /** The script that the page loads. */
  library: string;
  /** What the page then does. */
  play: (video: HTMLVideoElement, url: string) => void | Promise<void>;
}

function version(name: string): string {
  return (JSON.parse(readFileSync(installed(`${name}/package.json`), "utf8")) as { version: string }).version;
}

const [hls, dash, shaka] = ["hls.js", "dashjs", "shaka-player"].map(version) as [string, string, string];
const rx = version("rx-player");

export const HLS_JS: Player = {
  name: "hls.js",
  version: hls,
  manifest: "master.m3u8",
  library: "/hls.js",
  play: playHls,
};
export const DASH_JS: Player = {
  name: "dash.js",
  version: dash,
  manifest: "manifest.mpd",
  library: "/dash.js",
  play: playDash,
};
export const SHAKA_HLS: Player = {
  name: "Shaka on HLS",
  version: shaka,
  manifest: "master.m3u8",
  library: "/shaka.js",
  play: playShaka,
};
export const SHAKA_DASH: Player = { ...SHAKA_HLS, name: "Shaka on DASH", manifest: "manifest.mpd" };

export const DASH_JS_SMOOTH: Player = {
  ...DASH_JS,
  name: "dash.js on Smooth",
  manifest: "Manifest",
  library: "/dash-mss.js",
};
export const RX_SMOOTH: Player = {
  name: "rx-player on Smooth",
  version: rx,
  manifest: "Manifest",
  library: "/RxPlayer",
  play: playRx,
};
export const RX_DASH: Player = { ...RX_SMOOTH, name: "rx-player on DASH", manifest: "manifest.mpd" };

/** Those that play Smooth Streaming. */
export const SMOOTH_PLAYERS: Player[] = [DASH_JS_SMOOTH, RX_SMOOTH];

export const PLAYERS: Player[] = [HLS_JS, DASH_JS, SHAKA_HLS, SHAKA_DASH];

/** The browser's own player. */
export const NATIVE_HLS: Player = {
  name: "built in",
  version: "",
  manifest: "master.m3u8",
  library: "",
  play: playNative,
};

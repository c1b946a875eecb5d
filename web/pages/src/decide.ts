/** What a page shows and does, from what the server says and how playback goes. No clock, no network, no DOM. */

import type { Air } from "./air";

/** What the viewer is told. */
export type State =
  | "loading"
  | "playing"
  | "buffering"
  | "starting"
  | "offline"
  | "waiting"
  | "reconnecting"
  | "ended"
  | "refused"
  | "error";

export interface Loaded {
  /** The session that is played, or nothing for a recording. */
  session: string | null;
}

export interface Failure {
  /** In words for the viewer. */
  reason: string;
  /** Whether the same stream can never play here, so that trying again is in vain. */
  final: boolean;
}

/** How playback goes. */
export interface Playback {
  loaded: Loaded | null;
  failure: Failure | null;
  /** Whether the picture stands although it should move. */
  stuck: boolean;
  /** How long it has stood while the server has had something new to show, in seconds. */
  overdue: number;
  /** Whether the viewer is in the middle of a recording, and would not like to be torn out of it. */
  absorbed: boolean;
}

export type Action = "none" | "load" | "recording" | "unload";

export interface Decision {
  state: State;
  action: Action;
}

/** Silence of the encoder beyond the usual that is worth telling, in seconds. */
const SILENT = 1.5;

/** After this the player is not going to find its way by itself, in seconds. */
const OVERDUE = 8;

export function decide(air: Air, playback: Playback): Decision {
  switch (air.is) {
    case "unreachable":
      return stay(playback, "reconnecting");
    case "starting":
      return stay(playback, "starting");
    case "refused":
      return stay(playback, "refused");
    case "offline":
      return offline(playback);
    case "ended":
      return ended(playback);
    case "live":
      return live(air.session, air.silent, playback);
  }
}

/** Nothing can be done but wait; a picture that still moves is left alone. */
function stay(playback: Playback, otherwise: State): Decision {
  return { state: moving(playback) ? "playing" : otherwise, action: "none" };
}

function offline(playback: Playback): Decision {
  if (moving(playback)) return { state: "playing", action: "none" };
  return { state: "offline", action: playback.loaded ? "unload" : "none" };
}

function ended(playback: Playback): Decision {
  const { loaded, failure, absorbed } = playback;
  if (failure?.final) return { state: "error", action: "none" };
  if (!loaded) return { state: "ended", action: failure ? "none" : "recording" };
  if (loaded.session === null) {
    return { state: absorbed ? "playing" : "ended", action: failure ? "unload" : "none" };
  }
  return { state: moving(playback) ? "playing" : "ended", action: "none" };
}

function live(session: string, silent: number, playback: Playback): Decision {
  const { loaded, failure, stuck, overdue, absorbed } = playback;
  if (absorbed) return { state: "playing", action: "none" };
  if (loaded?.session !== session) return { state: "loading", action: "load" };
  if (failure) return failure.final ? { state: "error", action: "none" } : { state: "loading", action: "load" };
  if (!stuck) return { state: "playing", action: "none" };
  if (silent > SILENT) return { state: "waiting", action: "none" };
  return overdue > OVERDUE ? { state: "loading", action: "load" } : { state: "buffering", action: "none" };
}

function moving(playback: Playback): boolean {
  return playback.loaded !== null && playback.failure === null && !playback.stuck;
}

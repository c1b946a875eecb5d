import { expect, test } from "vitest";

import type { Air } from "../../src/air";
import { type Action, decide, type Playback, type State } from "../../src/decide";

const LIVE: Air = { is: "live", session: "7", silent: 0 };
const SILENT: Air = { is: "live", session: "7", silent: 4 };
const FAULT = { reason: "no", final: false };
const HOPELESS = { reason: "no", final: true };

const NOTHING: Playback = { loaded: null, failure: null, stuck: false, overdue: 0, absorbed: false };
const WELL: Playback = { ...NOTHING, loaded: { session: "7" } };
const STUCK: Playback = { ...WELL, stuck: true };
const RECORDING: Playback = { ...NOTHING, loaded: { session: null } };

test.each<[string, Air, Playback, State, Action]>([
  ["nothing is there", { is: "offline" }, NOTHING, "offline", "none"],
  ["a stream begins", LIVE, NOTHING, "loading", "load"],
  ["it plays", LIVE, WELL, "playing", "none"],
  ["the network is slow", LIVE, STUCK, "buffering", "none"],
  ["the player lost its way", LIVE, { ...STUCK, overdue: 9 }, "loading", "load"],
  ["the encoder is away", SILENT, STUCK, "waiting", "none"],
  ["the encoder is away and the buffer lasts", SILENT, WELL, "playing", "none"],
  ["the encoder is away for long", SILENT, { ...STUCK, overdue: 9 }, "waiting", "none"],
  ["another session is on air", { ...LIVE, session: "8" }, STUCK, "loading", "load"],
  ["the player failed", LIVE, { ...WELL, failure: FAULT }, "loading", "load"],
  ["the player can never play it", LIVE, { ...WELL, failure: HOPELESS }, "error", "none"],
  [
    "another session after a hopeless one",
    { ...LIVE, session: "8" },
    { ...WELL, failure: HOPELESS },
    "loading",
    "load",
  ],
  ["the stream ended and the buffer lasts", { is: "ended" }, WELL, "playing", "none"],
  ["the stream ended", { is: "ended" }, STUCK, "ended", "none"],
  ["opened after the end", { is: "ended" }, NOTHING, "ended", "recording"],
  ["a recording that cannot be loaded", { is: "ended" }, { ...NOTHING, failure: FAULT }, "ended", "none"],
  ["a recording that nobody plays", { is: "ended" }, RECORDING, "ended", "none"],
  ["a recording that somebody plays", { is: "ended" }, { ...RECORDING, absorbed: true }, "playing", "none"],
  ["live again over a recording that nobody plays", LIVE, RECORDING, "loading", "load"],
  ["live again over a recording that somebody plays", LIVE, { ...RECORDING, absorbed: true }, "playing", "none"],
  ["the server is away and the buffer lasts", { is: "unreachable" }, WELL, "playing", "none"],
  ["the server is away", { is: "unreachable" }, STUCK, "reconnecting", "none"],
  ["the server is away from the start", { is: "unreachable" }, NOTHING, "reconnecting", "none"],
  ["the server forgot the stream", { is: "offline" }, STUCK, "offline", "unload"],
  ["a link that is not good", { is: "refused", reason: "no" }, NOTHING, "refused", "none"],
  ["a link that expired while the buffer lasts", { is: "refused", reason: "no" }, WELL, "playing", "none"],
  ["a link that expired", { is: "refused", reason: "no" }, STUCK, "refused", "none"],
  ["a publisher is there and nothing to play", { is: "starting" }, NOTHING, "starting", "none"],
])("%s", (_, air, playback, state, action) => {
  expect(decide(air, playback)).toEqual({ state, action });
});

/** What the page says in each state. */

import type { State } from "./decide";

export interface Text {
  headline: string;
  detail: string;
}

const TEXTS: Record<State, Text> = {
  loading: { headline: "Loading", detail: "" },
  playing: { headline: "", detail: "" },
  buffering: { headline: "Buffering", detail: "" },
  starting: { headline: "The stream is starting", detail: "" },
  offline: { headline: "Offline", detail: "This page plays by itself when the stream begins." },
  waiting: { headline: "Waiting for the encoder", detail: "The picture goes on by itself when it is back." },
  reconnecting: { headline: "No connection to the server", detail: "Trying again." },
  ended: { headline: "The stream has ended", detail: "This page plays by itself when it goes on air again." },
  refused: { headline: "This cannot be watched like this", detail: "" },
  error: { headline: "This cannot be played", detail: "" },
};

/** `reason` is what went wrong, in words, where that is known. */
export function textOf(state: State, reason: string | null): Text {
  const text = TEXTS[state];
  const explained = reason !== null && (state === "error" || state === "loading" || state === "refused");
  return explained ? { ...text, detail: reason } : text;
}

/** What stands in the title of the window before the entry's name. */
export function mark(state: State, live: boolean): string {
  if (state === "playing") return live ? "● " : "";
  return state === "offline" || state === "ended" ? "○ " : "";
}

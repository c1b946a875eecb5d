/** Keyboard shortcuts, anywhere on the page. */

export type Command =
  "toggle" | "mute" | "louder" | "quieter" | "back" | "ahead" | "live" | "fullscreen" | "pip" | "captions" | "help";

const COMMANDS: Record<string, Command> = {
  " ": "toggle",
  k: "toggle",
  m: "mute",
  ArrowUp: "louder",
  ArrowDown: "quieter",
  ArrowLeft: "back",
  ArrowRight: "ahead",
  l: "live",
  f: "fullscreen",
  p: "pip",
  c: "captions",
  "?": "help",
};

/**
 * What has keys of its own: a slider takes arrows, a button takes the space bar, a menu and a text take all. The seek
 * bar is no slider here: the arrows that move it are those that move playback anywhere.
 */
export type Focus = "slider" | "button" | "field" | "other";

export interface Press {
  key: string;
  /** With Ctrl, Alt or Meta held it is the browser's. */
  modified: boolean;
}

export function commandOf(press: Press, focus: Focus): Command | null {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.modified || focus === "field") return null;
  if (focus === "slider" && key.startsWith("Arrow")) return null;
  if (focus === "button" && key === " ") return null;
  return COMMANDS[key] ?? null;
}

export function focusOf(target: EventTarget | null): Focus {
  if (!(target instanceof Element)) return "other";
  if (target.matches(".seek")) return "other";
  if (target.matches("input[type=range]")) return "slider";
  if (target.matches("button, summary, a")) return "button";
  return target.matches("input, select, textarea, dialog *") ? "field" : "other";
}

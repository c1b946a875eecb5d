/** What a viewer may take along: the embed snippet and the playback URLs. */

import { type Address, embedSnippet } from "./address";
import { find } from "./find";

export function fillShare(root: HTMLElement, address: Address): void {
  const texts: Record<string, string> = {
    page: address.watch,
    embed: embedSnippet(address),
    hls: address.hls,
    dash: address.dash,
  };
  for (const [name, text] of Object.entries(texts)) {
    const row = find(root, `[data-share=${name}]`);
    const field = find<HTMLInputElement>(row, "input");
    field.value = text;
    field.addEventListener("focus", () => field.select());
    find(row, "button").addEventListener("click", () => void copy(row, field));
  }
}

/** The clipboard is there on secure pages only; elsewhere the text is selected and the old command tried. */
async function copy(row: HTMLElement, field: HTMLInputElement): Promise<void> {
  field.select();
  let done: boolean;
  try {
    await navigator.clipboard.writeText(field.value);
    done = true;
  } catch {
    done = document.execCommand("copy");
  }
  say(find(row, "button"), done ? "Copied" : "Selected");
}

function say(button: HTMLElement, what: string): void {
  button.textContent = what;
  setTimeout(() => (button.textContent = "Copy"), 2000);
}

/** What the page says over the picture, and to screen readers. */

import type { State } from "../decide";
import { find } from "../find";
import { textOf } from "../texts";

export class Message {
  private readonly headline: HTMLElement;
  private readonly detail: HTMLElement;

  constructor(private readonly root: HTMLElement) {
    this.headline = find(root, ".headline");
    this.detail = find(root, ".detail");
  }

  show(state: State, reason: string | null): void {
    const text = textOf(state, reason);
    this.root.dataset.state = state;
    this.headline.textContent = text.headline;
    this.detail.textContent = text.detail;
  }
}

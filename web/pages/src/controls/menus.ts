/** The quality and the captions menu: the browser's own lists, which keyboards, phones and screen readers know. */

import type { Choice, Engine } from "../engine/engine";
import { find } from "../find";

export class Menus {
  private readonly quality: HTMLSelectElement;
  private readonly captions: HTMLSelectElement;

  constructor(
    root: HTMLElement,
    private readonly engine: Engine,
  ) {
    this.quality = find(root, ".quality");
    this.captions = find(root, ".captions");
    this.quality.addEventListener("change", () => {
      engine.chooseQuality(this.quality.value || null);
      this.update();
    });
    this.captions.addEventListener("change", () => engine.chooseCaptions(this.captions.value || null));
  }

  update(): void {
    const qualities = this.engine.qualities();
    fill(this.quality, automatic(qualities), qualities, !this.engine.automatic);
    const captions = this.engine.captions();
    fill(this.captions, "No captions", captions, true);
  }

  /** To the next captions, then off. */
  cycleCaptions(): void {
    const { options, selectedIndex } = this.captions;
    if (this.captions.hidden) return;
    const next = options[(selectedIndex + 1) % options.length];
    this.engine.chooseCaptions(next?.value || null);
  }
}

function automatic(qualities: Choice[]): string {
  const active = qualities.find((choice) => choice.active);
  return active ? `Auto (${active.label})` : "Auto";
}

/** A first option that chooses nothing, then the choices; a menu without choices is not shown. */
function fill(menu: HTMLSelectElement, none: string, choices: Choice[], chosen: boolean): void {
  const options = [{ id: "", label: none, active: false }, ...choices];
  const wanted = (chosen && choices.find((choice) => choice.active)?.id) || "";
  const text = JSON.stringify([options.map(({ id, label }) => [id, label]), wanted]);
  menu.hidden = choices.length === 0;
  if (menu.dataset.shown === text) return;
  menu.dataset.shown = text;
  menu.replaceChildren(...options.map(({ id, label }) => new Option(label, id, false, id === wanted)));
}

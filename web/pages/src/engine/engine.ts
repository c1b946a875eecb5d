/** What plays: Shaka where there is Media Source Extensions, the browser's own HLS where there is not. */

import type { Failure } from "../decide";

/** One choice of the quality or the captions menu. */
export interface Choice {
  id: string;
  label: string;
  active: boolean;
}

export interface Range {
  start: number;
  /** Where a viewer at the live edge is; a few seconds behind the newest segment. */
  end: number;
}

export interface Engine {
  /** Whether the player picks the quality itself, and then which choices there are to pick from. */
  readonly automatic: boolean;
  /** Loads what is on air, or the recording of what was. Rejects with a {@link Failure}. */
  load(): Promise<void>;
  unload(): Promise<void>;
  /** Whether something is loaded. */
  ready(): boolean;
  /** Whether what is loaded still grows. */
  live(): boolean;
  /** What can be sought, on the element's timeline; nothing where nothing can. */
  seekable(): Range | null;
  /** Seconds behind where a viewer at the live edge is. */
  behind(): number;
  /** To the live edge. */
  goLive(): void;
  /** Unix time at which the server received what is on screen, in milliseconds. */
  shownAt(): number | null;
  qualities(): Choice[];
  /** `null` leaves it to the engine. */
  chooseQuality(id: string | null): void;
  captions(): Choice[];
  /** `null` is off. */
  chooseCaptions(id: string | null): void;
}

/** What an engine tells. */
export interface Listener {
  failed(failure: Failure): void;
  /** Menus may have changed. */
  changed(): void;
}

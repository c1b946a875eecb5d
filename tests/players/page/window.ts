/** What the tests ask of a player in a page, whichever player it is. */
export interface Handle {
  /** Seconds behind live, by the player's own reckoning. */
  latency(): number;
  /** From where to where one can seek, in media seconds. */
  range(): [number, number];
  /** Back to the live edge, as its button would. */
  live(): void;
  /** Whether the player says that it is over. */
  over(): boolean;
  /** Goes over to the rendition whose pictures are so many lines high, and stays there. */
  choose?(height: number): void;
  /** Shows the captions that it knows of first, if it knows of any. */
  captions?(): void;
}

declare global {
  interface Window {
    handle: Handle;
    /** What makes a viewer stop: errors that the player calls fatal. */
    fatal: string[];
    /** What a viewer may not even notice: errors that the player got over. */
    hiccups: string[];
  }
}

import type { Browser } from "puppeteer-core";

import { chromium } from "./browser";
import type { Child } from "./child";
import { publish } from "./encoder";
import { Headwater, type Playlist, type Wanted } from "./headwater";
import { Pages } from "./pages";
import type { Player } from "./players";
import { Viewer } from "./viewer";

/** The entry that everything is about. */
const ENTRY = "show";

/** A server, an encoder that publishes to it, and a browser in which viewers open its players. */
export class Stage {
  readonly server: Headwater;
  #pages: Pages;
  #browser: Browser;
  #encoder?: Child;

  private constructor(server: Headwater, pages: Pages, browser: Browser) {
    [this.server, this.#pages, this.#browser] = [server, pages, browser];
  }

  /** With nobody on air. `settings` are the server's, in TOML. */
  static async empty(settings = "", browser: () => Promise<Browser> = chromium): Promise<Stage> {
    return new Stage(await Headwater.start(settings, [ENTRY]), await Pages.start(), await browser());
  }

  /** With the encoder on air and something to play. */
  static async set(settings = "", browser: () => Promise<Browser> = chromium): Promise<Stage> {
    const stage = await Stage.empty(settings, browser);
    await stage.onAir();
    await stage.listed(1);
    return stage;
  }

  /** Waits for there to be so many seconds to play. */
  listed(seconds: number, playlist?: Playlist): Promise<void> {
    return this.server.listed(ENTRY, seconds, playlist);
  }

  /** Waits for the Smooth manifest to be over; returns when its pictures end, in seconds since the Unix epoch. */
  smoothEnds(patience: number): Promise<number> {
    return this.server.smoothEnds(ENTRY, patience);
  }

  /** What a player is given. */
  url(manifest: Wanted): string {
    return this.server.url(ENTRY, manifest);
  }

  /** What a player is given of the one recording that there is, by its own id. */
  recordingUrl(manifest: Wanted): string {
    return this.server.url(this.server.recording(ENTRY), manifest);
  }

  /** Where an encoder publishes. */
  get publishUrl(): string {
    return this.server.publishUrl(ENTRY);
  }

  /** The same by SRT. */
  get srtUrl(): string {
    return this.server.srtUrl(ENTRY);
  }

  /** A viewer who opens a player now; `query` is what the URL of the manifest asks for. */
  open(player: Player, query = ""): Promise<Viewer> {
    return Viewer.open(this.#browser, this.#pages, player, this.url(player.manifest) + query);
  }

  /** A viewer who opens a player now, over TLS. */
  openSecure(player: Player): Promise<Viewer> {
    return Viewer.open(this.#browser, this.#pages, player, this.server.secureUrl(ENTRY, player.manifest));
  }

  /** A viewer of the one recording that there is, by its own id. */
  openRecording(player: Player): Promise<Viewer> {
    return Viewer.open(this.#browser, this.#pages, player, this.recordingUrl(player.manifest));
  }

  /** A viewer for each player. */
  async openAll(players: Player[]): Promise<Map<Player, Viewer>> {
    return new Map(await Promise.all(players.map(async (player) => [player, await this.open(player)] as const)));
  }

  /** The encoder begins, or begins anew. */
  async onAir(encoder: (url: string) => Promise<Child> = publish): Promise<void> {
    this.#encoder = await encoder(this.publishUrl);
  }

  /** The encoder loses its power. */
  async offAir(): Promise<void> {
    await this.#encoder?.kill();
  }

  /** Everything down; throws where the server did not go well. */
  async strike(): Promise<void> {
    await this.#browser.close();
    this.#pages.stop();
    await this.offAir();
    await this.server.stop();
  }
}

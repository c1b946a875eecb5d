/** The player: its markup, what plays, what keeps it playing, and its controls, joined. */

import type { Address } from "./address";
import { Clock } from "./clock";
import { Idle } from "./controls/idle";
import { Menus } from "./controls/menus";
import { Message } from "./controls/message";
import { Position } from "./controls/position";
import { Screen } from "./controls/screen";
import { Volume } from "./controls/volume";
import type { Failure, State } from "./decide";
import type { Engine, Listener } from "./engine/engine";
import { NativeEngine } from "./engine/native";
import { ShakaEngine } from "./engine/shaka";
import { find } from "./find";
import { Keeper, type Stage } from "./keeper";
import { type Command, commandOf, focusOf } from "./keys";
import markup from "./player.html?raw";
import { Transport } from "./transport";

/** How often what is shown is looked after, in milliseconds. */
const TICK = 250;

/** Nearer to the end of a recording it is over, whatever the browser says of it; in seconds. */
const AT_END = 0.5;

/** Fills `root` with a player of `address`; `told` hears every state, and whether what is loaded is live. */
export function mount(root: HTMLElement, address: Address, told: (state: State, live: boolean) => void): void {
  root.innerHTML = markup;
  const video = find<HTMLVideoElement>(root, "video");
  const listener: Listener = { failed: () => {}, changed: () => {} };
  const engine = engineFor(video, address, listener);
  const message = new Message(root);
  if (!engine) {
    message.show("error", "This browser has neither Media Source Extensions nor HLS.");
    return;
  }
  new Player(root, video, address, engine, listener, message, told).run();
}

function engineFor(video: HTMLVideoElement, address: Address, listener: Listener): Engine | null {
  // Whole segments: Shaka 5.2 takes what an MPD for low latency lists for the live edge, and starves there.
  if (ShakaEngine.supported()) return new ShakaEngine(video, `${address.dash}?ll=0`, listener);
  return NativeEngine.supported(video) ? new NativeEngine(video, address.hls, listener) : null;
}

class Player implements Stage {
  private readonly clock = new Clock();
  private readonly transport: Transport;
  private readonly keeper: Keeper;
  private readonly volume: Volume;
  private readonly menus: Menus;
  private readonly screen: Screen;
  private readonly idle: Idle;
  private readonly position: Position;
  private state: State = "loading";

  constructor(
    private readonly root: HTMLElement,
    private readonly video: HTMLVideoElement,
    private readonly address: Address,
    private readonly engine: Engine,
    listener: Listener,
    private readonly message: Message,
    private readonly told: (state: State, live: boolean) => void,
  ) {
    this.transport = new Transport(video, engine);
    this.keeper = new Keeper(address.dash, this.clock, video, engine, this);
    this.volume = new Volume(root, video);
    this.menus = new Menus(root, engine);
    this.screen = new Screen(root, video);
    this.idle = new Idle(root, video);
    this.position = new Position(root, this.transport, engine, this.clock);
    listener.failed = (failure: Failure) => this.keeper.failed(failure);
    listener.changed = () => this.menus.update();
  }

  run(): void {
    this.listenToVideo();
    this.listenToViewer();
    this.show("loading", null);
    setInterval(() => this.tick(), TICK);
    void this.clock.sync(this.address.time);
    void this.keeper.run();
  }

  wanted(): boolean {
    return this.transport.wanted;
  }

  begin(play: boolean): void {
    this.menus.update();
    if (play) void this.start();
    else this.showButtons();
  }

  show(state: State, reason: string | null): void {
    this.state = state;
    this.message.show(state, reason);
    this.told(state, this.engine.live());
    this.showButtons();
  }

  private async start(): Promise<void> {
    this.transport.wanted = true;
    const start = await this.transport.begin();
    if (start === "blocked") this.transport.wanted = false;
    find(this.root, ".unmute").hidden = start !== "muted";
    this.showButtons();
  }

  private tick(): void {
    this.keeper.tick();
    if (this.engine.ready()) this.position.update(this.keeper.liveElsewhere());
    else this.position.clear();
    if (this.state === "playing") this.transport.catchUp(performance.now());
  }

  private listenToVideo(): void {
    const { video } = this;
    for (const name of ["play", "pause", "emptied"]) video.addEventListener(name, () => this.showButtons());
    // Media keys, headsets and the frame of picture in picture pause without asking us; so does the end.
    video.addEventListener("pause", () => {
      const over = video.ended || video.currentTime > video.duration - AT_END;
      if (this.state === "playing" && !over) this.transport.wanted = false;
    });
    video.addEventListener("play", () => (this.transport.wanted = true));
    video.addEventListener("ended", () => this.keeper.hurry());
    video.addEventListener("resize", () => this.menus.update());
    video.addEventListener("volumechange", () => {
      if (!video.muted) find(this.root, ".unmute").hidden = true;
    });
  }

  private listenToViewer(): void {
    const click = (selector: string, act: () => void) => find(this.root, selector).addEventListener("click", act);
    click(".play", () => this.toggle());
    click(".big-play", () => this.toggle());
    click(".replay", () => void this.keeper.replay());
    click(".unmute", () => this.volume.toggle());
    click(".live", () => this.goLive());
    click(".help", () => this.help());
    this.listenToTaps();
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("online", () => this.keeper.hurry());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && this.state !== "playing") this.keeper.hurry();
    });
  }

  /** A mouse plays and pauses, a finger shows and hides the controls. */
  private listenToTaps(): void {
    let shown = true;
    this.video.addEventListener("pointerdown", () => (shown = !this.idle.hidden), { capture: true });
    this.video.addEventListener("click", (event) => {
      const mouse = (event as PointerEvent).pointerType === "mouse";
      if (mouse) this.toggle();
      else if (shown) this.idle.settle();
    });
    this.video.addEventListener("dblclick", () => this.screen.toggleFullscreen());
  }

  private key(event: KeyboardEvent): void {
    const modified = event.ctrlKey || event.altKey || event.metaKey;
    const command = commandOf({ key: event.key, modified }, focusOf(event.target));
    if (!command) return;
    event.preventDefault();
    this.obey(command);
  }

  private obey(command: Command): void {
    const commands: Record<Command, () => void> = {
      toggle: () => this.toggle(),
      mute: () => this.volume.toggle(),
      louder: () => this.volume.change(0.1),
      quieter: () => this.volume.change(-0.1),
      back: () => this.transport.skip(-5),
      ahead: () => this.transport.skip(5),
      live: () => this.goLive(),
      fullscreen: () => this.screen.toggleFullscreen(),
      pip: () => this.screen.togglePip(),
      captions: () => this.menus.cycleCaptions(),
      help: () => this.help(),
    };
    this.idle.stir();
    commands[command]();
  }

  private toggle(): void {
    if (this.state === "ended") void this.keeper.replay();
    else this.transport.toggle();
  }

  private goLive(): void {
    this.transport.goLive();
    if (this.keeper.liveElsewhere()) this.keeper.leaveRecording();
  }

  private help(): void {
    const dialog = find<HTMLDialogElement>(this.root, ".shortcuts");
    if (dialog.open) dialog.close();
    else dialog.showModal();
  }

  private showButtons(): void {
    const { video, state } = this;
    const playable = this.engine.ready();
    const button = find(this.root, ".play");
    button.classList.toggle("is-on", !video.paused);
    button.setAttribute("aria-label", video.paused ? "Play" : "Pause");
    find(this.root, ".big-play").hidden = !playable || !video.paused || state !== "playing";
    find(this.root, ".replay").hidden = !playable || state !== "ended";
    this.root.dataset.playable = String(playable);
  }
}

/** Full screen and picture in picture, where there are such. */

import { find } from "../find";

/** A video element as iPhones have it: they show nothing but a video on the full screen. */
type Phone = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

export class Screen {
  private readonly fullscreen: HTMLElement;
  private readonly pip: HTMLElement;

  constructor(
    private readonly root: HTMLElement,
    private readonly video: Phone,
  ) {
    this.fullscreen = find(root, ".fullscreen");
    this.pip = find(root, ".pip");
    this.fullscreen.hidden = !document.fullscreenEnabled && !video.webkitEnterFullscreen;
    this.pip.hidden = !document.pictureInPictureEnabled;
    this.fullscreen.addEventListener("click", () => this.toggleFullscreen());
    this.pip.addEventListener("click", () => this.togglePip());
    document.addEventListener("fullscreenchange", () => this.update());
  }

  toggleFullscreen(): void {
    if (document.fullscreenElement) settle(document.exitFullscreen());
    else if (document.fullscreenEnabled) settle(this.root.requestFullscreen());
    else this.video.webkitEnterFullscreen?.();
  }

  togglePip(): void {
    if (this.pip.hidden) return;
    if (document.pictureInPictureElement) settle(document.exitPictureInPicture());
    else settle(this.video.requestPictureInPicture());
  }

  private update(): void {
    const on = document.fullscreenElement === this.root;
    this.fullscreen.classList.toggle("is-on", on);
    this.fullscreen.setAttribute("aria-label", on ? "Leave full screen" : "Full screen");
  }
}

/** The browser may refuse, and that is its right: nothing is lost. */
function settle(asked: Promise<unknown>): void {
  asked.catch(() => {});
}

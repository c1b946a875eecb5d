import type { Browser, BrowserContextOptions, Frame, Page } from "playwright-core";

import { until } from "./until";

/** What a viewer sees. */
export interface Seen {
  state: string;
  headline: string;
  /** Of the video, in seconds. */
  at: number;
  frames: number;
  paused: boolean;
  muted: boolean;
  /** In seconds as shown; nothing where none is. */
  latency: number | null;
  /** What a screen reader says of the live button; nothing where there is none. */
  live: string | null;
}

export interface Options extends BrowserContextOptions {
  /** Runs in the page before anything of ours. */
  before?: () => void;
  /** Runs with the page before it is opened. */
  prepare?: (page: Page) => Promise<void>;
}

/** A page with a player in it, and everything that went wrong there. */
export class Viewer {
  readonly faults: string[] = [];
  readonly requests: string[] = [];

  private constructor(readonly page: Page) {
    page.on("pageerror", (error) => this.faults.push(error.message));
    page.on("console", (message) => {
      const own = message.type() === "error" && !message.text().startsWith("Failed to load resource");
      if (own) this.faults.push(message.text());
    });
    page.on("request", (request) => this.requests.push(request.url()));
  }

  static async open(browser: Browser, url: string, options: Options = {}): Promise<Viewer> {
    const { before, prepare, ...context } = options;
    const page = await browser.newPage(context);
    const viewer = new Viewer(page);
    if (before) await page.addInitScript(before);
    await prepare?.(page);
    await page.goto(url);
    return viewer;
  }

  see(frame: Page | Frame = this.page): Promise<Seen> {
    return frame.evaluate(() => {
      const at = (selector: string) => document.querySelector<HTMLElement>(`.player ${selector}`);
      const shown = (selector: string) => (at(selector)?.hidden ? null : at(selector));
      const video = at("video") as HTMLVideoElement;
      const minutes = (text: string) => text.split(":").reduce((sum, part) => 60 * sum + parseFloat(part), 0);
      const latency = shown(".latency")?.textContent;
      return {
        state: at("video")?.parentElement?.dataset.state ?? "",
        headline: at(".headline")?.textContent ?? "",
        at: video.currentTime,
        frames: video.getVideoPlaybackQuality().totalVideoFrames,
        paused: video.paused,
        muted: video.muted,
        latency: latency ? minutes(latency) : null,
        live: shown(".live")?.getAttribute("aria-label") ?? null,
      };
    });
  }

  /** Waits until `what` holds of what is seen. */
  async sees(what: string, seconds: number, holds: (seen: Seen) => boolean, frame?: Frame): Promise<Seen> {
    let seen: Seen | undefined;
    const look = async () => {
      seen = await this.see(frame);
      return holds(seen) && seen;
    };
    return until(what, seconds, look, () => `${JSON.stringify(seen)}\n${this.faults.join("\n")}`);
  }

  /** Waits until the page is in `state`. */
  is(state: string, seconds: number): Promise<Seen> {
    return this.sees(state, seconds, (seen) => seen.state === state);
  }

  /** Waits until the picture has moved on by two seconds and says so. */
  async plays(seconds = 30, frame?: Frame): Promise<Seen> {
    const begun = await this.sees("a picture", seconds, (seen) => !seen.paused && seen.frames > 0, frame);
    return this.sees(
      "a moving picture",
      seconds,
      (seen) => {
        return seen.state === "playing" && seen.at > begun.at + 2 && seen.frames > begun.frames + 25;
      },
      frame,
    );
  }

  /** Clicks a control as a mouse does; the first move brings the controls back where they are hidden. */
  async clickControl(selector: string): Promise<void> {
    let x = 200;
    await until(`a click on ${selector}`, 20, async () => {
      await this.page.mouse.move((x += 10), 200);
      const clicked = this.page.click(selector, { timeout: 2000 });
      return clicked.then(
        () => true,
        () => false,
      );
    });
  }

  async close(): Promise<void> {
    await this.page.unrouteAll({ behavior: "ignoreErrors" });
    await this.page.context().close();
    if (this.faults.length > 0) throw new Error(`the page complained:\n${this.faults.join("\n")}`);
  }
}

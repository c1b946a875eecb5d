/** What a viewer has while a stream is on air. */

import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { launch } from "../harness/browser";
import { Server } from "../harness/server";
import { type Options, Viewer } from "../harness/viewer";

let server: Server;
let browser: Browser;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(["on-air"], 30), launch(true)]);
  server.publish("on-air");
  await server.aired("on-air", 10);
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

const watch = (options?: Options) => Viewer.open(browser, server.url("/watch/on-air"), options);

test("plays with sound, says how far behind it is, and asks no other host", async () => {
  const viewer = await watch();
  const seen = await viewer.plays();
  expect(seen).toMatchObject({ muted: false, live: "Live" });
  expect(seen.latency).toBeGreaterThan(1);
  expect(seen.latency).toBeLessThan(15);
  expect(await viewer.page.title()).toBe("● on-air · Headwater");
  const hosts = new Set(viewer.requests.filter((url) => url.startsWith("http")).map((url) => new URL(url).origin));
  expect([...hosts]).toEqual([server.url("")]);
  const asked = viewer.requests.filter((url) => url.endsWith("manifest.mpd")).length;
  expect(asked, "our own question, and Shaka's; the rest names the session").toBeLessThan(5);
  await viewer.close();
});

test("goes back in the window by keyboard, and to the live edge by button", async () => {
  const viewer = await watch();
  const before = await viewer.plays();
  await viewer.page.keyboard.press("ArrowLeft");
  const behind = await viewer.sees("being behind", 10, (seen) => seen.live?.startsWith("Go live: ") ?? false);
  expect(behind.latency).toBeGreaterThan((before.latency ?? 0) + 3);
  expect(await viewer.page.getAttribute(".seek", "aria-valuetext")).toMatch(/^\d seconds behind live$/);
  await viewer.clickControl(".live");
  const back = await viewer.sees("the edge", 10, (seen) => seen.live === "Live");
  expect(back.latency).toBeLessThan((behind.latency ?? 0) - 3);
  await viewer.plays();
  await viewer.close();
});

test("everything is at hand by keyboard", async () => {
  const viewer = await watch();
  await viewer.plays();
  const press = (key: string) => viewer.page.keyboard.press(key);
  await press("k");
  await viewer.sees("a pause", 10, (seen) => seen.paused);
  await press(" ");
  await viewer.sees("playing on", 10, (seen) => !seen.paused);
  await press("m");
  await viewer.sees("no sound", 10, (seen) => seen.muted);
  await press("ArrowUp");
  await viewer.sees("sound", 10, (seen) => !seen.muted);
  await press("f");
  await viewer.page.waitForFunction(() => document.fullscreenElement?.className === "player");
  await press("f");
  await viewer.page.waitForFunction(() => !document.fullscreenElement);
  await press("?");
  await viewer.page.waitForSelector("dialog[open]");
  await press("Escape");
  await viewer.page.waitForSelector("dialog", { state: "hidden" });
  await viewer.close();
});

test("Tab goes through the controls in order, each with a ring, and they stay while it is among them", async () => {
  const viewer = await watch();
  const { at } = await viewer.plays();
  const focused: string[] = [];
  for (let i = 0; i < 9; i += 1) {
    await viewer.page.keyboard.press("Tab");
    focused.push(
      await viewer.page.evaluate(() => {
        const ringed = document.activeElement && getComputedStyle(document.activeElement).outlineStyle !== "none";
        return `${document.activeElement?.className.split(" ")[0]}${ringed ? "" : " without a ring"}`;
      }),
    );
  }
  expect(focused).toEqual(["seek", "play", "mute", "volume", "live", "quality", "help", "pip", "fullscreen"]);
  await viewer.sees("longer than controls stay by themselves", 20, (seen) => seen.at > at + 5);
  expect(await viewer.page.getAttribute(".player", "data-idle")).toBeNull();
  await viewer.close();
});

test("the quality menu lists what there is and holds what was chosen", async () => {
  const viewer = await watch({ prepare: (page) => rewriteMpd(page, withSecondQuality) });
  await viewer.plays();
  const menu = viewer.page.locator(".quality");
  await expect
    .poll(() => menu.locator("option").allTextContents())
    .toEqual([expect.stringMatching(/^Auto \((180|90)p\)$/), "180p", "90p"]);
  await menu.selectOption("90p");
  await expect.poll(() => menu.locator("option").allTextContents()).toEqual(["Auto (90p)", "180p", "90p"]);
  expect(await menu.inputValue()).toBe("90");
  await viewer.plays();
  await menu.selectOption({ index: 0 });
  expect(await menu.inputValue()).toBe("");
  await viewer.close();
});

test("what the browser cannot decode is said, not tried for ever", async () => {
  const unknown = (mpd: string) =>
    mpd.replace(/codecs="avc1[^"]*"/, 'codecs="xxxx.1"').replace(/codecs="mp4a[^"]*"/, 'codecs="yyyy"');
  const viewer = await watch({ prepare: (page) => rewriteMpd(page, unknown) });
  const seen = await viewer.is("error", 20);
  expect(seen.headline).toBe("This cannot be played");
  expect(await viewer.page.textContent(".detail")).toBe("This browser cannot decode the stream.");
  expect(viewer.faults).toEqual([]);
  await viewer.close();
});

test("a phone has nothing to scroll sideways, and targets for a finger", async () => {
  const viewer = await watch({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  await viewer.plays();
  await viewer.page.tap("video");
  for (const size of [
    { width: 390, height: 844 },
    { width: 844, height: 390 },
    { width: 320, height: 568 },
  ]) {
    await viewer.page.setViewportSize(size);
    expect(await viewer.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
    expect(await smallTargets(viewer.page), JSON.stringify(size)).toEqual([]);
  }
  await viewer.page.tap("summary");
  expect(await viewer.page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBe(0);
  expect(await viewer.page.inputValue("#share-hls")).toBe(server.url("/play/on-air/master.m3u8"));
  await viewer.close();
});

test("axe finds nothing, with the panels open", async () => {
  const viewer = await watch({ bypassCSP: true });
  await viewer.plays();
  await viewer.page.click("summary");
  expect(await axe(viewer.page)).toEqual([]);
  await viewer.page.keyboard.press("?");
  expect(await axe(viewer.page)).toEqual([]);
  await viewer.close();
});

test("plays in a frame on another site, muted where the browser wants that, with a hint", async () => {
  const shy = await launch(false);
  const snippet = `<iframe src="${server.url("/embed/on-air")}" width="640" height="360" allow="autoplay"></iframe>`;
  const site = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(snippet)).listen(0);
  // What a test evaluates in a page counts as something its user did, and lets it play with sound: nothing is looked at
  // before the player says that it is muted.
  const before = () => document.addEventListener("volumechange", () => console.log("volume"), { capture: true });
  let told: Promise<unknown> | undefined;
  const prepare = async (page: Page) => {
    told = page.waitForEvent("console", (message) => message.text() === "volume");
  };
  const viewer = await Viewer.open(shy, `http://localhost:${(site.address() as AddressInfo).port}/`, { before, prepare });
  await told;
  const frame = await viewer.page.waitForSelector("iframe").then((element) => element.contentFrame());
  if (!frame) throw new Error("no frame");
  expect((await viewer.plays(20, frame)).muted).toBe(true);
  await frame.click(".unmute");
  await viewer.sees("sound", 10, (seen) => !seen.muted, frame);
  expect(await frame.isVisible(".unmute")).toBe(false);
  await viewer.close();
  await shy.close();
  site.close();
});

test("plays below a prefix that a proxy puts in front", async () => {
  const proxy = createServer((asked, answer) => {
    const target = server.url((asked.url ?? "").replace("/tv/", "/"));
    request(target, { headers: asked.headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    }).end();
  }).listen(0);
  const { port } = proxy.address() as AddressInfo;
  const viewer = await Viewer.open(browser, `http://127.0.0.1:${port}/tv/watch/on-air`);
  await viewer.plays();
  expect(viewer.requests.map((url) => new URL(url).pathname).filter((path) => !path.startsWith("/tv/"))).toEqual([]);
  await viewer.close();
  proxy.close();
});

test("the watch page is not for frames of other sites", async () => {
  const page = await browser.newPage();
  const [refused] = await Promise.all([
    page.waitForEvent("console", (message) => message.text().includes("frame-ancestors")),
    page.setContent(`<iframe src="${server.url("/watch/on-air")}"></iframe>`),
  ]);
  expect(refused.type()).toBe("error");
  await page.close();
});

test("plays the browser's own HLS where there are no Media Source Extensions", async () => {
  const before = () => {
    for (const name of ["MediaSource", "WebKitMediaSource", "ManagedMediaSource"]) Reflect.deleteProperty(window, name);
  };
  const viewer = await watch({ before });
  await viewer.plays(30);
  expect(viewer.requests.some((url) => url.includes("/play/on-air/master.m3u8"))).toBe(true);
  expect(await viewer.page.isVisible(".quality")).toBe(false);
  await viewer.close();
});

/** What the server says, told differently. */
async function rewriteMpd(page: Page, rewrite: (mpd: string) => string): Promise<void> {
  await page.route("**/manifest.mpd*", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: rewrite(await answer.text()) });
  });
}

/** The same segments under a second name. */
function withSecondQuality(mpd: string): string {
  return mpd.replace(/<Representation id="video-1".*\/>/, (line) => {
    const second = line.replace("video-1", "video-2").replace(/bandwidth="\d+"/, 'bandwidth="50000"');
    return line + second.replace('width="320" height="180"', 'width="160" height="90"');
  });
}

/** Buttons, menus and sliders that are shown and smaller than 44 by 44 pixels. */
function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const targets = [...document.querySelectorAll<HTMLElement>("button, select, input, summary")];
    const boxes = targets.map((target) => ({
      name: target.className || target.tagName,
      box: target.getBoundingClientRect(),
    }));
    const shown = boxes.filter(({ box }) => box.width > 0);
    return shown.filter(({ box }) => box.width < 44 || box.height < 44).map(({ name }) => name);
  });
}

async function axe(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: "node_modules/axe-core/axe.min.js" });
  return page.evaluate(async () => {
    const { axe } = window as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    const { violations } = await axe.run();
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
}

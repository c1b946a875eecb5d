/** What a viewer is told when a stream begins, ends and falters, and that it plays again without being asked. */

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";

import { launch } from "../harness/browser";
import { Server } from "../harness/server";
import { until } from "../harness/until";
import { Viewer } from "../harness/viewer";

let browser: Browser;

beforeAll(async () => {
  browser = await launch(true);
});

afterAll(() => browser?.close());

test("offline, then on air, ended, and on air again", async () => {
  const server = await Server.start(["show"], 3);
  const viewer = await Viewer.open(browser, server.url("/watch/show"));
  expect((await viewer.is("offline", 15)).headline).toBe("Offline");
  const encoder = server.publish("show");
  const first = await viewer.plays(40);
  await encoder.stop("SIGKILL");
  expect((await viewer.is("ended", 40)).headline).toBe("The stream has ended");

  const late = await Viewer.open(browser, server.url("/watch/show"));
  await late.is("ended", 15);
  await late.page.click(".replay");
  expect(await late.plays()).toMatchObject({ live: null, latency: null });

  server.publish("show");
  const second = await viewer.plays(40);
  expect(second.at, "a new session lies later on the timeline").toBeGreaterThan(first.at);
  await late.sees("the live stream after the recording", 25, (seen) => seen.live === "Live");
  await Promise.all([viewer.close(), late.close()]);
  await server.stop();
});

test("an encoder away for five seconds: says so, and goes on", async () => {
  const server = await Server.start(["show"], 60);
  const encoder = server.publish("show");
  const viewer = await Viewer.open(browser, server.url("/watch/show"));
  const before = await viewer.plays(40);
  await encoder.stop("SIGKILL");
  expect((await viewer.is("waiting", 40)).headline).toBe("Waiting for the encoder");
  server.publish("show");
  const after = await viewer.plays(40);
  expect(after.at).toBeGreaterThan(before.at);
  expect(viewer.requests.filter((url) => url.endsWith("/watch/show")).length, "not a reload").toBe(1);
  await viewer.close();
  await server.stop();
});

test("a server that restarts: says so, and goes on", async () => {
  const server = await Server.start(["show"], 60);
  const encoder = server.publish("show");
  const viewer = await Viewer.open(browser, server.url("/watch/show"));
  await viewer.plays(40);
  await server.down();
  expect((await viewer.is("reconnecting", 40)).headline).toBe("No connection to the server");
  await server.up();
  await encoder.stop("SIGKILL");
  server.publish("show");
  await viewer.plays(40);
  await viewer.close();
  await server.stop();
});

test("somebody who paused is left in peace, and told of the end when playing on", async () => {
  const server = await Server.start(["show"], 3);
  const encoder = server.publish("show");
  const viewer = await Viewer.open(browser, server.url("/watch/show"));
  await viewer.plays(40);
  await viewer.page.keyboard.press("k");
  const { at } = await viewer.sees("a pause", 10, (seen) => seen.paused);
  await encoder.stop("SIGKILL");
  const mpd = () => fetch(server.url("/play/show/manifest.mpd")).then((answer) => answer.text());
  await until("the end of the stream", 20, async () => (await mpd()).includes('type="static"'));
  expect(await viewer.see()).toMatchObject({ paused: true, at, state: "playing" });
  await viewer.page.keyboard.press("k");
  await viewer.is("ended", 40);
  await viewer.close();
  await server.stop();
});

import { expect, test } from "vitest";

import { addressOf, embedSnippet } from "../../src/address";
import { Backoff } from "../../src/backoff";
import { clock, latency, spoken } from "../../src/format";
import { commandOf } from "../../src/keys";
import { Pauses } from "../../src/pauses";
import { Watchdog } from "../../src/watchdog";

test("addresses follow from the page's own, below a prefix too", () => {
  const plain = addressOf("http://host:8080/watch/0_k3x9p2ab?x=1#y", "http://host:8080/");
  expect(plain).toMatchObject({ entry: "0_k3x9p2ab", dash: "http://host:8080/play/0_k3x9p2ab/manifest.mpd" });
  const below = addressOf("https://host/tv/embed/demo", "https://host/tv/");
  expect(below).toMatchObject({ hls: "https://host/tv/play/demo/master.m3u8", watch: "https://host/tv/watch/demo" });
  expect(embedSnippet(below)).toContain('<iframe src="https://host/tv/embed/demo"');
});

test("pauses grow to a limit, are spread, and begin anew", () => {
  const backoff = new Backoff(2, 4, () => 0.5);
  expect([backoff.pause(), backoff.pause(), backoff.pause(), backoff.pause()]).toEqual([2, 3, 4, 4]);
  backoff.reset();
  expect(backoff.pause()).toBe(2);
  expect(new Backoff(10, 10, () => 0).pause()).toBe(8);
  expect(new Backoff(10, 10, () => 1).pause()).toBeCloseTo(12);
});

test("a stream that plays well is not asked about, a page that nobody sees asks seldom", () => {
  const pauses = new Pauses();
  expect(pauses.after("playing", false, false)).toBeNull();
  expect(pauses.after("playing", true, false)).toBe(10);
  expect(pauses.after("offline", false, false)).toBeLessThan(2);
  expect(pauses.after("offline", false, true)).toBe(15);
});

test("numbers as the viewer reads and hears them", () => {
  expect([latency(3.24), latency(-1), latency(18.4), latency(245)]).toEqual(["3.2 s", "0.0 s", "18 s", "4:05"]);
  expect([clock(7.9), clock(754), clock(3723)]).toEqual(["0:07", "12:34", "1:02:03"]);
  expect([spoken(1), spoken(60), spoken(65)]).toEqual(["1 second", "1 minute", "1 minute 5 seconds"]);
});

test("keys do what they say, except where the focus has a use for them", () => {
  const press = (key: string, modified = false) => ({ key, modified });
  expect(commandOf(press("K"), "other")).toBe("toggle");
  expect(commandOf(press("ArrowLeft"), "button")).toBe("back");
  expect(commandOf(press("ArrowLeft"), "slider")).toBeNull();
  expect(commandOf(press(" "), "button")).toBeNull();
  expect(commandOf(press("m"), "field")).toBeNull();
  expect(commandOf(press("l", true), "other")).toBeNull();
  expect(commandOf(press("x"), "other")).toBeNull();
});

test("a picture that stands is noticed when it should move, and only then", () => {
  const watchdog = new Watchdog();
  expect(watchdog.see(1, true, 0)).toBe(true);
  expect(watchdog.see(1, true, 1000)).toBe(false);
  expect(watchdog.stuck(1000)).toBe(false);
  expect(watchdog.stuck(1600)).toBe(true);
  watchdog.see(1, false, 1700);
  expect(watchdog.stuck(3000)).toBe(false);
  watchdog.see(1, true, 3000);
  watchdog.reset(3000);
  expect(watchdog.stuck(4000)).toBe(false);
});

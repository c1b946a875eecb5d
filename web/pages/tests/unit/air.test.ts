import { expect, test } from "vitest";

import { read } from "../../src/air";

const NOW = Date.parse("2026-11-22T04:00:10Z");

const mpd = (attributes: string) =>
  `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" ${attributes}>\n` +
  "  <Location>manifest.mpd?s=1795321036</Location>\n</MPD>";

test("a stream on air, and how long it has been silent beyond a segment's length", () => {
  const published = (time: string) =>
    read(200, mpd(`type="dynamic" publishTime="${time}" maxSegmentDuration="PT2.5S"`), NOW);
  expect(published("2026-11-22T04:00:09.000Z")).toEqual({ is: "live", session: "1795321036", silent: 0 });
  expect(published("2026-11-22T04:00:01.000Z")).toEqual({ is: "live", session: "1795321036", silent: 6.5 });
});

test("a device whose clock is behind does not hear silence", () => {
  const body = mpd('type="dynamic" publishTime="2026-11-22T04:05:00Z" maxSegmentDuration="PT2S"');
  expect(read(200, body, NOW)).toMatchObject({ silent: 0 });
});

test("an MPD without the times is live all the same", () => {
  expect(read(200, mpd('type="dynamic"'), NOW)).toMatchObject({ is: "live", silent: 0 });
});

test("who may not watch is told why in the server's words, and never in those of something in between", () => {
  const problem = '{"type":"about:blank","status":403,"detail":"this stream may not be watched on this site"}';
  const reason = "This stream may not be watched on this site.";
  expect(read(403, problem, NOW)).toEqual({ is: "refused", reason });
  for (const body of ["<html>Blocked</html>", '{"detail":{}}', "null", ""]) {
    expect(read(401, body, NOW)).toEqual({ is: "refused", reason: "" });
  }
});

test.each<[number, string, string]>([
  [200, mpd('type="static"'), "ended"],
  [404, '{"detail":"the entry is not live"}', "offline"],
  [410, "", "offline"],
  [503, '{"detail":"the stream is starting: there is nothing to play yet"}', "starting"],
  [503, "<html>Bad day</html>", "unreachable"],
  [502, "", "unreachable"],
  [200, "<html>Log in to the Wi-Fi</html>", "unreachable"],
])("%i %s", (status, body, is) => {
  expect(read(status, body, NOW)).toEqual({ is });
});

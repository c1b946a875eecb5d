import type Shaka from "shaka-player";

import "./window";

declare const shaka: typeof Shaka;

/** Runs in the page, so it can name nothing outside itself. */
export async function playShaka(video: HTMLVideoElement, url: string): Promise<void> {
  [window.fatal, window.hiccups] = [[], []];
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  // What is listed of a segment that grows is not there yet: the live edge is that of the clock.
  player.configure({ manifest: { dash: { autoCorrectDrift: false } } });
  player.addEventListener("error", (event) => {
    const { severity, code, data, message } = (event as unknown as { detail: Shaka.util.Error }).detail;
    // A live segment that cannot be had is tried again and then passed over.
    const retried = [shaka.util.Error.Code.BAD_HTTP_STATUS, shaka.util.Error.Code.HTTP_ERROR].includes(code);
    const fatal = severity === shaka.util.Error.Severity.CRITICAL && !retried;
    (fatal ? window.fatal : window.hiccups).push(`${code ?? ""} ${JSON.stringify(data ?? []).slice(0, 200)} ${message}`);
  });
  player.addEventListener("stalldetected", () => window.hiccups.push("stalled"));
  window.handle = {
    latency: () => player.getStats().liveLatency,
    range: () => [player.seekRange().start, player.seekRange().end],
    live: () => player.goToLive(),
    over: () => video.ended,
    choose: (height) => {
      player.configure({ abr: { enabled: false } });
      player.selectVariantTrack(player.getVariantTracks().find((track) => track.height === height)!);
    },
    captions: () => {
      const [first] = player.getTextTracks();
      if (first && !first.active) player.selectTextTrack(first);
    },
  };
  await player.attach(video);
  await player.load(url);
  await video.play();
}

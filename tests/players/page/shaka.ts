import type Shaka from "shaka-player";

import "./window";

declare const shaka: typeof Shaka;

/** Runs in the page, so it can name nothing outside itself. */
export async function playShaka(video: HTMLVideoElement, url: string): Promise<void> {
  [window.fatal, window.hiccups] = [[], []];
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener("error", (event) => {
    const { severity, code, data, message } = (event as unknown as { detail: Shaka.util.Error }).detail;
    const fatal = severity === shaka.util.Error.Severity.CRITICAL;
    (fatal ? window.fatal : window.hiccups).push(`${code ?? ""} ${JSON.stringify(data ?? [])} ${message}`);
  });
  player.addEventListener("stalldetected", () => window.hiccups.push("stalled"));
  window.handle = {
    latency: () => player.getStats().liveLatency,
    range: () => [player.seekRange().start, player.seekRange().end],
    live: () => player.goToLive(),
    over: () => video.ended,
  };
  await player.attach(video);
  await player.load(url);
  await video.play();
}

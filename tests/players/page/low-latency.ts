import type HlsJs from "hls.js";
import type Shaka from "shaka-player";

import "./window";

declare const Hls: typeof HlsJs;
declare const shaka: typeof Shaka;

/** hls.js as near to live as the server says that it may. Runs in the page, so it can name nothing outside itself. */
export function playLowLatencyHls(video: HTMLVideoElement, url: string): void {
  const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5 });
  [window.fatal, window.hiccups] = [[], []];
  hls.on(Hls.Events.ERROR, (_, { fatal, type, details, reason, response, error }) => {
    const text = `${type} ${details} ${response?.code ?? ""} ${reason ?? error?.message ?? ""}`;
    (fatal ? window.fatal : window.hiccups).push(text);
  });
  window.handle = {
    // By the clock: the picture says when it was received.
    latency: () => (Date.now() - Number(hls.playingDate ?? NaN)) / 1000,
    range: () => [video.seekable.start(0), video.seekable.end(0)],
    live: () => (video.currentTime = hls.liveSyncPosition ?? NaN),
    over: () => video.ended,
  };
  hls.loadSource(url);
  hls.attachMedia(video);
  video.play().catch((error) => window.hiccups.push(`play: ${error}`));
}

/** Shaka as near to live as the server says that it may. */
export async function playLowLatencyShaka(video: HTMLVideoElement, url: string): Promise<void> {
  [window.fatal, window.hiccups] = [[], []];
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.configure({ streaming: { lowLatencyMode: true } });
  player.addEventListener("error", (event) => {
    const { severity, code, data, message } = (event as unknown as { detail: Shaka.util.Error }).detail;
    const fatal = severity === shaka.util.Error.Severity.CRITICAL;
    (fatal ? window.fatal : window.hiccups).push(`${code ?? ""} ${JSON.stringify(data ?? []).slice(0, 200)} ${message}`);
  });
  player.addEventListener("stalldetected", () => window.hiccups.push("stalled"));
  window.handle = {
    latency: () => (Date.now() - Number(player.getPlayheadTimeAsDate() ?? NaN)) / 1000,
    range: () => [player.seekRange().start, player.seekRange().end],
    live: () => player.goToLive(),
    over: () => video.ended,
  };
  await player.attach(video);
  await player.load(url);
  await video.play();
}

import type * as Dash from "dashjs";
import type Rx from "rx-player";
import type Shaka from "shaka-player";

import "./window";

declare const dashjs: typeof Dash;
declare const shaka: typeof Shaka;
declare const RxPlayer: typeof Rx;

// Each is as far behind as its clock is ahead of the picture: the timeline of a live MPD is Unix time.

/** dash.js, which takes its latency from the MPD. Runs in the page, so it can name nothing outside itself. */
export function playLowLatencyDashJs(video: HTMLVideoElement, url: string): void {
  const player = dashjs.MediaPlayer().create();
  [window.fatal, window.hiccups] = [[], []];
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_ERROR } });
  player.on(dashjs.MediaPlayer.events.ERROR, (event) => {
    const { code, message } = event.error as { code: number; message: string };
    window.fatal.push(`${code} ${message}`);
  });
  player.on(dashjs.MediaPlayer.events.PLAYBACK_STALLED, () => window.hiccups.push(`stalled at ${video.currentTime}`));
  window.handle = {
    latency: () => Date.now() / 1000 - video.currentTime,
    range: () => [player.getDvrWindow().start, player.getDvrWindow().end],
    live: () => player.seekToOriginalLive(),
    over: () => video.ended,
  };
  player.initialize(video, url, true);
  player.clearDefaultUTCTimingSources();
}

/**
 * Shaka, by the clock of the MPD: its correction of drift takes what is listed for what is there, so that it would begin
 * too near. Its own settings for low latency say so as well, and come into force after the first MPD.
 */
export async function playLowLatencyShakaDash(video: HTMLVideoElement, url: string): Promise<void> {
  [window.fatal, window.hiccups] = [[], []];
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.configure({ streaming: { lowLatencyMode: true }, manifest: { dash: { autoCorrectDrift: false } } });
  player.addEventListener("error", (event) => {
    const { severity, code, data, message } = (event as unknown as { detail: Shaka.util.Error }).detail;
    const fatal = severity === shaka.util.Error.Severity.CRITICAL;
    (fatal ? window.fatal : window.hiccups).push(`${code ?? ""} ${JSON.stringify(data ?? []).slice(0, 200)} ${message}`);
  });
  player.addEventListener("stalldetected", () => window.hiccups.push(`stalled at ${video.currentTime}`));
  window.handle = {
    latency: () => Date.now() / 1000 - video.currentTime,
    range: () => [player.seekRange().start, player.seekRange().end],
    live: () => player.goToLive(),
    over: () => video.ended,
  };
  await player.attach(video);
  await player.load(url);
  await video.play();
}

/** rx-player, which has to be told that it is about latency. */
export function playLowLatencyRx(video: HTMLVideoElement, url: string): void {
  const player = new RxPlayer({ videoElement: video });
  [window.fatal, window.hiccups] = [[], []];
  player.addEventListener("error", (error) => window.fatal.push(`${error.name} ${error.message}`));
  player.addEventListener("warning", (error) => window.hiccups.push(`${error.name} ${error.message}`));
  window.handle = {
    latency: () => Date.now() / 1000 - video.currentTime,
    range: () => [player.getMinimumPosition() ?? NaN, player.getMaximumPosition() ?? NaN],
    live: () => player.seekTo({ position: player.getMaximumPosition() ?? NaN }),
    over: () => player.getPlayerState() === "ENDED",
  };
  player.loadVideo({ url, transport: "dash", lowLatencyMode: true, autoPlay: true });
}

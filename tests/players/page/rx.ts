import type Rx from "rx-player";

import "./window";

declare const RxPlayer: typeof Rx;

/** Runs in the page, so it can name nothing outside itself. */
export function playRx(video: HTMLVideoElement, url: string): void {
  const player = new RxPlayer({ videoElement: video });
  [window.fatal, window.hiccups] = [[], []];
  player.addEventListener("error", (error) => window.fatal.push(`${error.name} ${error.message}`));
  player.addEventListener("warning", (error) => window.hiccups.push(`${error.name} ${error.message}`));
  window.handle = {
    latency: () => (player.getLivePosition() ?? NaN) - player.getPosition(),
    range: () => [player.getMinimumPosition() ?? NaN, player.getMaximumPosition() ?? NaN],
    live: () => player.seekTo({ position: player.getMaximumPosition() ?? NaN }),
    over: () => player.getPlayerState() === "ENDED",
  };
  player.loadVideo({ url, transport: url.includes("manifest.mpd") ? "dash" : "smooth", autoPlay: true });
}

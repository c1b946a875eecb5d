import type HlsJs from "hls.js";

import "./window";

declare const Hls: typeof HlsJs;

/** Runs in the page, so it can name nothing outside itself. */
export function playHls(video: HTMLVideoElement, url: string): void {
  const hls = new Hls({ lowLatencyMode: !url.endsWith("?ll=0") });
  [window.fatal, window.hiccups] = [[], []];
  hls.on(Hls.Events.ERROR, (_, { fatal, type, details, reason, response, error }) => {
    const text = `${type} ${details} ${response?.code ?? ""} ${reason ?? error?.message ?? ""}`;
    (fatal ? window.fatal : window.hiccups).push(text);
  });
  window.handle = {
    latency: () => hls.latency,
    range: () => [video.seekable.start(0), video.seekable.end(0)],
    live: () => (video.currentTime = hls.liveSyncPosition ?? NaN),
    over: () => video.ended,
    choose: (height) => (hls.nextLevel = hls.levels.findIndex((level) => level.height === height)),
    captions: () => {
      const first = [...video.textTracks].find(({ kind }) => kind === "captions");
      if (first) first.mode = "showing";
    },
  };
  hls.loadSource(url);
  hls.attachMedia(video);
  video.play().catch((error) => window.hiccups.push(`play: ${error}`));
}

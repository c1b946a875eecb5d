import "./window";

/** What a browser plays by itself. Runs in the page, so it can name nothing outside itself. */
export function playNative(video: HTMLVideoElement, url: string): void {
  [window.fatal, window.hiccups] = [[], []];
  window.handle = {
    latency: () => NaN,
    range: () => [video.seekable.start(0), video.seekable.end(0)],
    live: () => (video.currentTime = video.seekable.end(0)),
    over: () => video.ended,
  };
  video.src = url;
  video.play().catch((error) => window.hiccups.push(`play: ${error}`));
}

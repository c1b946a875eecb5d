import type * as Dash from "dashjs";

import "./window";

declare const dashjs: typeof Dash;

/** Runs in the page, so it can name nothing outside itself. */
export function playDash(video: HTMLVideoElement, url: string): void {
  const player = dashjs.MediaPlayer().create();
  [window.fatal, window.hiccups] = [[], []];
  player.updateSettings({ debug: { logLevel: dashjs.Debug.LOG_LEVEL_ERROR } });
  player.on(dashjs.MediaPlayer.events.ERROR, (event) => {
    const { code, message } = event.error as { code: number; message: string };
    // A segment that cannot be had is skipped.
    const skipped = code === dashjs.MediaPlayer.errors.DOWNLOAD_ERROR_ID_CONTENT_CODE;
    (skipped ? window.hiccups : window.fatal).push(`${code} ${message}`);
  });
  player.on(dashjs.MediaPlayer.events.PLAYBACK_STALLED, () => window.hiccups.push("stalled"));
  let over = false;
  player.on(dashjs.MediaPlayer.events.PLAYBACK_ENDED, (event) => {
    over ||= (event as unknown as { isLast: boolean }).isLast;
  });
  window.handle = {
    latency: () => player.getCurrentLiveLatency(),
    range: () => [player.getDvrWindow().start, player.getDvrWindow().end],
    live: () => player.seekToOriginalLive(),
    over: () => over,
    choose: (height) => {
      player.updateSettings({ streaming: { abr: { autoSwitchBitrate: { video: false } } } });
      const wanted = player.getRepresentationsByType("video").find((it) => it.height === height);
      player.setRepresentationForTypeById("video", wanted!.id);
    },
  };
  player.initialize(video, url, true);
  // A manifest names its clock, or has none; that of a third party cannot be reached from here.
  player.clearDefaultUTCTimingSources();
}

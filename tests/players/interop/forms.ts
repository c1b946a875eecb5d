import type { Manifest } from "../harness/headwater";
import type { Player } from "../harness/players";
import type { Stage } from "../harness/stage";
import type { Viewer } from "../harness/viewer";

/** What of a show is asked for, and so a column of the tables. By its id it is the recording, whatever its entry does. */
export type Form = "HLS" | "DASH" | "Smooth" | "HLS of MPEG-TS" | "Smooth, by the recording's id";

const MANIFESTS: Record<Form, Manifest> = {
  HLS: "master.m3u8",
  DASH: "manifest.mpd",
  Smooth: "Manifest",
  "HLS of MPEG-TS": "ts/master.m3u8",
  "Smooth, by the recording's id": "Manifest",
};

/** The URL that a player is given. */
export function url(stage: Stage, form: Form): string {
  return byId(form) ? stage.recordingUrl(MANIFESTS[form]) : stage.url(MANIFESTS[form]);
}

/** Opens a page's player on it. */
export function open(stage: Stage, player: Player, form: Form): Promise<Viewer> {
  const given = { ...player, manifest: MANIFESTS[form] };
  return byId(form) ? stage.openRecording(given) : stage.open(given);
}

const byId = (form: Form): boolean => form.endsWith("id");

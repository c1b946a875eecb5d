import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { type Browser, chromium } from "playwright-core";

/** Where Chromium may be: as Debian packages it, as its maker does, as scripts/setup fetches it elsewhere. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/google-chrome", join(homedir(), ".cache/headwater/chromium")];

/** No sandbox: as root, and in a container, there is none to be had; the pages are ours. */
const FLAGS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking " +
  "--disable-component-update --disable-sync --disable-dev-shm-usage";

/** `sound` is whether a page may play with sound unasked. */
export function launch(sound: boolean): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? PLACES.find(existsSync);
  if (!executablePath) throw new Error("no Chromium: install it, or say in CHROMIUM where it is");
  const policy = sound ? ["--autoplay-policy=no-user-gesture-required"] : [];
  return chromium.launch({ executablePath, args: [...FLAGS.split(" "), ...policy] });
}

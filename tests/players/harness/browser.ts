import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { launch, type Browser } from "puppeteer-core";

/** Where Chromium may be: as Debian packages it, as its maker does, as scripts/setup fetches it elsewhere. */
const PLACES = ["/usr/bin/chromium", "/usr/bin/google-chrome", join(homedir(), ".cache/headwater/chromium")];

const CHROMIUM = process.env.CHROMIUM ?? PLACES.find(existsSync);
const FIREFOX = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** No sandbox: as root, and in a container, there is none to be had; the pages are ours. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-dev-shm-usage",
  "--autoplay-policy=no-user-gesture-required",
];

export function chromium(): Promise<Browser> {
  return launch({ executablePath: CHROMIUM, args: FLAGS, pipe: true });
}

/** One that takes any certificate. */
export function trusting(): Promise<Browser> {
  return launch({ executablePath: CHROMIUM, args: [...FLAGS, "--ignore-certificate-errors"], pipe: true });
}

export function firefox(): Promise<Browser> {
  const extraPrefsFirefox = { "media.autoplay.default": 0, "media.autoplay.blocking_policy": 0 };
  return launch({ browser: "firefox", executablePath: FIREFOX, extraPrefsFirefox });
}

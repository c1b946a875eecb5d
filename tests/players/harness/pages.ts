import { createReadStream } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { installed } from "./paths";

/** Players as their packages deliver them to pages. */
const LIBRARIES: Record<string, string> = {
  "/hls.js": "hls.js/dist/hls.js",
  "/dash.js": "dashjs/dist/modern/umd/dash.all.debug.js",
  "/shaka.js": "shaka-player/dist/shaka-player.compiled.debug.js",
};

const STYLE = "body{margin:0;background:#000}video{display:block;width:640px;height:360px}";

/** The page of a site that embeds a player: another origin than that of the media. */
const page = (library: string) => `<!doctype html><meta charset="utf-8"><title>${library}</title>
<link rel="icon" href="data:,"><style>${STYLE}</style><video muted playsinline></video>
${library in LIBRARIES ? `<script src="${library}"></script>` : ""}`;

/** A web server with a page for each player: `/?/hls.js`. */
export class Pages {
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Pages> {
    const server = createServer((request, response) => {
      const url = request.url ?? "/";
      const library = LIBRARIES[url];
      response.setHeader("content-type", library ? "text/javascript" : "text/html");
      if (library) createReadStream(installed(library)).pipe(response);
      else response.end(page(url.slice(2)));
    });
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    return new Pages(server);
  }

  /** The page for a player's library. */
  url(library: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/?${library}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

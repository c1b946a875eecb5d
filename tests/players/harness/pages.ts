import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { rolldown } from "rolldown";

import { installed } from "./paths";

/** Players as their packages deliver them to pages: one script after another. */
const LIBRARIES: Record<string, string[]> = {
  "/hls.js": ["hls.js/dist/hls.js"],
  "/dash.js": ["dashjs/dist/modern/umd/dash.all.debug.js"],
  "/dash-mss.js": ["dashjs/dist/modern/umd/dash.all.debug.js", "dashjs/dist/modern/umd/dash.mss.debug.js"],
  "/shaka.js": ["shaka-player/dist/shaka-player.compiled.debug.js"],
};

/** Those that are delivered as modules, under the name that their script gives to the page. */
const MODULES: Record<string, string> = { "/RxPlayer": "rx-player/dist/es2017/index.js" };

/** The script of a library. */
async function script(library: string): Promise<string> {
  const files = LIBRARIES[library] ?? [];
  const texts = await Promise.all(files.map((file) => readFile(installed(file), "utf8")));
  return texts.join("\n");
}

/** The same of one that comes as modules. */
async function bundled(library: string): Promise<string> {
  const bundle = await rolldown({ input: installed(MODULES[library]!), logLevel: "silent" });
  const { output } = await bundle.generate({ format: "iife", name: library.slice(1) });
  return output[0].code;
}

const STYLE = "body{margin:0;background:#000}video{display:block;width:640px;height:360px}";

/** The page of a site that embeds a player: another origin than that of the media. */
const page = (library: string) => `<!doctype html><meta charset="utf-8"><title>${library}</title>
<link rel="icon" href="data:,"><style>${STYLE}</style><video muted playsinline></video>
${library in LIBRARIES || library in MODULES ? `<script src="${library}"></script>` : ""}`;

/** A web server with a page for each player: `/?/hls.js`. */
export class Pages {
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Pages> {
    const server = createServer((request, response) => {
      const url = request.url ?? "/";
      const library = url in LIBRARIES || url in MODULES;
      response.setHeader("content-type", library ? "text/javascript" : "text/html");
      const text = url in MODULES ? bundled(url) : library ? script(url) : Promise.resolve(page(url.slice(2)));
      text.then((text) => response.end(text)).catch((error) => response.writeHead(500).end(`${error}`));
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

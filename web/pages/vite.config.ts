import { gzipSync } from "node:zlib";

import { defineConfig, type Plugin } from "vite";

/** The pages are built into the crate beside this folder, which embeds what it finds there. */
const OUT = "../dist/pages";

export default defineConfig({
  // Relative, so that the pages work below a prefix that a proxy puts in front: each has a `<base>` at the root.
  base: "./",
  build: {
    outDir: OUT,
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 700,
    // What we ship of others keeps their licences beside it.
    license: { fileName: "assets/licenses.md" },
    rolldownOptions: { input: ["watch.html", "embed.html"] },
  },
  plugins: [compressed()],
});

/** Puts a gzip coding beside every file, so that the server never compresses one. */
function compressed(): Plugin {
  return {
    name: "compressed",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const file of Object.values(bundle)) {
          const source = file.type === "chunk" ? file.code : file.source;
          this.emitFile({ type: "asset", fileName: `${file.fileName}.gz`, source: gzipSync(source, { level: 9 }) });
        }
      },
    },
  };
}

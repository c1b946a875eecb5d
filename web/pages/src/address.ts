/** Where a page is, and where what it plays is: everything follows from the page's own address. */

export interface Address {
  /** Entry id: 1 to 64 of a-z 0-9 _ -, beginning with a letter or digit. The server has checked it. */
  entry: string;
  hls: string;
  dash: string;
  /** The server's clock, an xs:dateTime. */
  time: string;
  watch: string;
  embed: string;
}

/**
 * `base` is the document's base address, which is the root that the server answers under: `/`, or what a proxy puts
 * in front. `page` is the page's own, `…/watch/ENTRY`.
 */
export function addressOf(page: string, base: string): Address {
  const entry = new URL(page).pathname.split("/").at(-1) ?? "";
  const under = (path: string) => new URL(path, base).href;
  return {
    entry,
    hls: under(`play/${entry}/master.m3u8`),
    dash: under(`play/${entry}/manifest.mpd`),
    time: under(`play/${entry}/time`),
    watch: under(`watch/${entry}`),
    embed: under(`embed/${entry}`),
  };
}

/** What a site pastes into its own page. */
export function embedSnippet(address: Address): string {
  return (
    `<iframe src="${address.embed}" title="${address.entry}" width="640" height="360" style="border:0" ` +
    'allow="autoplay; fullscreen; picture-in-picture"></iframe>'
  );
}

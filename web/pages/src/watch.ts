/** The watch page: the player, the entry's name, and what there is to share. */

import "./style/base.css";
import "./style/player.css";
import "./style/watch.css";

import { addressOf } from "./address";
import { find } from "./find";
import { mount } from "./player";
import { fillShare } from "./share";
import { mark } from "./texts";

const address = addressOf(location.href, document.baseURI);
const title = `${address.entry} · Headwater`;

find(document, "h1").textContent = address.entry;
document.title = title;
fillShare(find(document, ".share"), address);
mount(find(document, ".player"), address, (state, live) => {
  document.title = mark(state, live) + title;
});

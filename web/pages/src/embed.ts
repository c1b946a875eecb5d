/** The embed frame: the player and nothing else. */

import "./style/base.css";
import "./style/player.css";
import "./style/embed.css";

import { addressOf } from "./address";
import { find } from "./find";
import { mount } from "./player";

const address = addressOf(location.href, document.baseURI);
document.title = `${address.entry} · Headwater`;
mount(find(document, ".player"), address, () => {});

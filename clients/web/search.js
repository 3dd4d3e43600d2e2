// The search of messages, in a dialog: what is looked for, what was found, and a way from each hit into its room.
//
// Hits come from the api; a click goes to the message among its neighbours. Their texts are text nodes, marked word by word.

import { dialogForm } from "./dialogs.js";
import { plain, roomName } from "./names.js";
import { el } from "./nodes.js";
import { setText } from "./patch.js";
import { gettext, locale } from "./texts.js";
import { nameEl } from "./view.js";

const LETTERS = /[\p{L}\p{N}\p{M}]+\*?/gu; // what the server takes for words, near enough to mark them

/** One search at a time. */
export class MessageSearch {
  #root;
  #find;
  #parts;
  #wanted = null; // the search that is shown
  #next = null; // the cursor of its next page

  /** `find(query)` is `messageFinder` of api.js; `parts` are `room()`, the shown one, `roomOf(id)` and `goTo(room, seq)`. */
  constructor(root, find, parts) {
    this.#root = root;
    this.#find = find;
    this.#parts = parts;
    this.#at("more-hits").addEventListener("click", () => this.#more());
    dialogForm(this.#at("search"), (fields) => this.#begin(fields), { stays: true });
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  async #begin({ text, here }) {
    this.#wanted = { text: text.trim(), ...(here ? { room: this.#parts.room() } : {}) };
    this.#at("hits").replaceChildren();
    this.#at("more-hits").hidden = true;
    setText(this.#at("hits-found"), gettext("Searching…"));
    try {
      await this.#read({});
    } catch (error) {
      setText(this.#at("hits-found"), "");
      throw error;
    }
  }

  async #more() {
    const button = this.#at("more-hits");
    button.disabled = true;
    try {
      await this.#read({ cursor: this.#next });
    } catch (error) {
      setText(this.#at("hits-found"), error.message);
    }
    button.disabled = false;
  }

  async #read(from) {
    const wanted = this.#wanted;
    const { messages, next } = await this.#find({ ...wanted, ...from });
    if (wanted !== this.#wanted) return;
    this.#next = next;
    const [list, count] = [this.#at("hits"), this.#at("hits").children.length];
    const known = messages.filter(({ room }) => this.#parts.roomOf(room));
    list.append(...known.map((message) => this.#row(message, wanted.text)));
    this.#at("more-hits").hidden = next === null;
    const all = list.children.length;
    setText(this.#at("hits-found"), all || next ? gettext("Messages found: {count}", { count: all }) : gettext("No message was found."));
    if (count) list.children[count]?.querySelector("button").focus();
  }

  #row({ room, seq, user, text, timestamp_ms: time }, wanted) {
    const when = el("time", {}, new Date(time).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" }));
    const where = el("bdi", {}, plain(roomName(this.#parts.roomOf(room))));
    const words = el("bdi", { className: "words", dir: "auto" }, ...marked(text, wanted));
    const onclick = () => {
      this.#at("search-dialog").close();
      this.#parts.goTo(room, seq);
    };
    const button = el("button", { type: "button", className: "entry", onclick });
    button.append(el("span", { className: "who" }, nameEl(user.username), " · ", where, " ", when), words);
    return el("li", {}, button);
  }
}

/** Return the text as nodes, the words that were looked for marked. */
function marked(text, wanted) {
  const wholes = wanted.match(LETTERS)?.map((word) => word.toLowerCase()) ?? [];
  const isWanted = (word) => wholes.some((one) => (one.endsWith("*") ? word.startsWith(one.slice(0, -1)) : word === one));
  const nodes = [];
  let end = 0;
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    if (!isWanted(word.toLowerCase())) continue;
    nodes.push(text.slice(end, index), el("mark", {}, word));
    end = index + word.length;
  }
  return [...nodes, text.slice(end)];
}

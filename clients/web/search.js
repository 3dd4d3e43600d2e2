// The search of messages, in a dialog: what is looked for, what was found, and a way from each hit into its room.
//
// Hits come from the api; a click goes to the message among its neighbours. Their texts are text nodes, marked word by word.

import { plain, roomName } from "./names.js";
import { el } from "./nodes.js";
import { PagedSearch, press } from "./paged_search.js";
import { setText } from "./patch.js";
import { gettext, locale } from "./texts.js";
import { nameEl } from "./view.js";

const LETTERS = /[\p{L}\p{N}\p{M}]+\*?/gu; // what the server takes for words, near enough to mark them

/** The dialog. */
export class MessageSearch {
  #root;
  #parts;

  /** `find(query)` is `messageFinder` of api.js; `parts` are `room()`, the shown one, `roomOf(id)` and `goTo(room, seq)`. */
  constructor(root, find, parts) {
    this.#root = root;
    this.#parts = parts;
    const status = this.#at("hits-found");
    new PagedSearch({
      ...{ form: this.#at("search"), list: this.#at("hits"), status, more: this.#at("more-hits"), find },
      queryOf: ({ text, here }) => ({ text: text.trim(), ...(here ? { room: parts.room() } : {}) }),
      rowsOf: ({ messages }, { text }) => messages.filter(({ room }) => parts.roomOf(room)).map((message) => this.#row(message, text)),
      countText: (count, hasMore) => (count || hasMore ? gettext("Messages found: {count}", { count }) : gettext("No message was found.")),
      attempt: (button, work) => press(button, work, (sentence) => setText(status, sentence)),
    });
  }

  #at(id) {
    return this.#root.getElementById(id);
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

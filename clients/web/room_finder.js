// Rooms that everybody may join, in a dialog: found by name, page by page, each with a button that joins or opens it.

import { plain } from "./names.js";
import { el } from "./nodes.js";
import { PagedSearch, press } from "./paged_search.js";
import { setText } from "./patch.js";
import { gettext } from "./texts.js";
import { nameEl } from "./view.js";

/** The dialog; its first search begins when it is opened. */
export class RoomFinder {
  #root;
  #parts;

  /** `find(query)` is that of `doorsOf` of api.js; `parts` are `join(room)`, which throws a sentence, and `open(room)`. */
  constructor(root, find, parts) {
    this.#root = root;
    this.#parts = parts;
    const form = this.#at("find-rooms");
    new PagedSearch({
      ...{ form, list: this.#at("found-rooms"), status: this.#at("rooms-found"), more: this.#at("more-rooms"), find },
      queryOf: ({ q }) => (q.trim() ? { q: q.trim() } : {}),
      rowsOf: ({ rooms }) => rooms.map((room) => this.#row(room)),
      countText: (count) => (count ? gettext("Rooms found: {count}", { count }) : gettext("No room was found.")),
      attempt: (button, work) => this.#attempt(button, work),
    });
    for (const opener of root.querySelectorAll('[data-opens="find-rooms-dialog"]')) opener.addEventListener("click", () => form.requestSubmit());
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  #row({ id, name, topic, joined }) {
    const title = plain(name) || gettext("A room without a name");
    const label = joined ? gettext("Open {room}", { room: title }) : gettext("Join {room}", { room: title });
    const button = el("button", { type: "button", ariaLabel: label }, joined ? gettext("Open") : gettext("Join"));
    button.addEventListener("click", () => this.#attempt(button, () => this.#enter(id, joined)));
    return el("li", {}, el("span", { className: "who" }, nameEl(title), " ", el("small", {}, nameEl(topic))), button);
  }

  async #enter(room, joined) {
    if (!joined) await this.#parts.join(room);
    this.#at("find-rooms-dialog").close();
    this.#parts.open(room);
  }

  /** Do what a button is for; what went wrong is said below the search. */
  #attempt(button, work) {
    const wrong = this.#at("find-rooms").querySelector(".wrong");
    wrong.hidden = true;
    return press(button, work, (sentence) => {
      setText(wrong, sentence);
      wrong.hidden = false;
    });
  }
}

// Rooms that everybody may join, in a dialog: found by name, page by page, each with a button that joins or opens it.

import { dialogForm } from "./dialogs.js";
import { plain } from "./names.js";
import { el } from "./nodes.js";
import { setText } from "./patch.js";
import { gettext } from "./texts.js";
import { nameEl } from "./view.js";

/** One search at a time; the first begins when the dialog is opened. */
export class RoomFinder {
  #root;
  #find;
  #parts;
  #wanted = null; // the search that is shown
  #next = null; // the cursor of its next page

  /** `find(query)` is that of `doorsOf` of api.js; `parts` are `join(room)`, which throws a sentence, and `open(room)`. */
  constructor(root, find, parts) {
    this.#root = root;
    this.#find = find;
    this.#parts = parts;
    this.#at("more-rooms").addEventListener("click", () => this.#attempt(this.#at("more-rooms"), () => this.#read({ cursor: this.#next })));
    dialogForm(this.#at("find-rooms"), ({ q }) => this.#begin(q.trim()), { stays: true });
    const form = this.#at("find-rooms");
    for (const opener of root.querySelectorAll('[data-opens="find-rooms-dialog"]')) opener.addEventListener("click", () => form.requestSubmit());
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  async #begin(q) {
    this.#wanted = q ? { q } : {};
    this.#at("found-rooms").replaceChildren();
    this.#at("more-rooms").hidden = true;
    setText(this.#at("rooms-found"), gettext("Searching…"));
    try {
      await this.#read({});
    } catch (error) {
      setText(this.#at("rooms-found"), "");
      throw error;
    }
  }

  async #read(from) {
    const wanted = this.#wanted;
    const { rooms, next } = await this.#find({ ...wanted, ...from });
    if (wanted !== this.#wanted) return;
    this.#next = next;
    const [list, count] = [this.#at("found-rooms"), this.#at("found-rooms").children.length];
    list.append(...rooms.map((room) => this.#row(room)));
    this.#at("more-rooms").hidden = next === null;
    const all = list.children.length;
    setText(this.#at("rooms-found"), all ? gettext("Rooms found: {count}", { count: all }) : gettext("No room was found."));
    if (count) list.children[count]?.querySelector("button").focus();
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

  /** Do what a button in the list is for; what went wrong is said below the search. */
  async #attempt(button, work) {
    const wrong = this.#at("find-rooms").querySelector(".wrong");
    wrong.hidden = button.disabled = true;
    try {
      await work();
    } catch (error) {
      setText(wrong, error.message);
      wrong.hidden = false;
    }
    button.disabled = false;
  }
}

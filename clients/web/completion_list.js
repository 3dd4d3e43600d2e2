// Completes what is begun in the composer, `@` and a name or `:` and an emoji's: a list above it, chosen from by keys or the mouse.

import { loadEmoji } from "./emoji.js";
import { EVERYBODY } from "./member_names.js";
import { el } from "./nodes.js";
import { patch } from "./patch.js";
import { gettext } from "./texts.js";
import { nameEl } from "./view.js";

const MAX_SHOWN = 8;
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/**
 * Return what completes the names of a room's members, but for the user's own, and `@room`, where the user may mention all;
 * `names` are MemberNames, `mayPin(roomId)` says who may in rooms of any size.
 */
export function mentionsFrom(names, userId, mayPin) {
  const build = ({ id, username }) => ({ key: `mention-${id}`, name: username, put: `@${username}`, label: () => nameEl(username) });
  return {
    begun: /(?:^|[^\p{L}\p{N}_@])@([^\s@]*)$/u,
    find: async (room, beginning) => {
      const members = await names.load(room);
      const isFree = members.length > 0 && !members.some(({ username }) => username === EVERYBODY);
      const others = members.filter(({ id }) => id !== userId).map(build);
      const all = isFree && (names.isSmall(room) || mayPin(room)) ? [...others, everybody] : others;
      return all.filter(({ name }) => name.toLowerCase().startsWith(beginning));
    },
  };
}

const everybody = { key: "mention-room", name: EVERYBODY, put: `@${EVERYBODY}`, label: () => gettext("{name}: everybody in this room", { name: EVERYBODY }) };

/** What completes the names of emoji, from two letters on: a smiley is none. */
export const emojiByName = {
  begun: /(?:^|[^\p{L}\p{N}_]):([\p{L}\p{N}_+-]{2,})$/u,
  find: async (room, beginning) => (await loadEmoji()).complete(beginning).map(({ emoji, names, label }) => {
    const name = names.find((one) => one.startsWith(beginning));
    return { key: `emoji-${names[0]}`, put: emoji, label: () => `${emoji} ${name ? `:${name}:` : label}` };
  }),
};

/** One list for the composer. */
export class CompletionList {
  #text;
  #box;
  #room;
  #sources;
  #found = []; // [{key, put, label()}]; empty: the list is closed
  #place = 0; // of the one that Enter takes
  #begun = null; // what they complete: {source, name, start}

  /** `room()` is the id of the one that is shown; `sources` are {begun, find(room, beginning)} as above: what `begun` takes from a text, and the options for it. */
  constructor(root, room, sources) {
    [this.#text, this.#box] = [root.getElementById("text"), root.getElementById("completions")];
    [this.#room, this.#sources] = [room, sources];
    for (const name of ["input", "click"]) this.#text.addEventListener(name, () => this.#look());
    this.#text.addEventListener("blur", () => this.#close());
    this.#text.addEventListener("keydown", (key) => this.#pressed(key), { capture: true });
    this.#box.addEventListener("mousedown", (press) => press.preventDefault()); // the field keeps the focus
    this.#box.addEventListener("click", ({ target }) => this.#clicked(target.closest("li")));
  }

  async #look() {
    const [room, begun] = [this.#room(), this.#atCaret()];
    if (!begun || !room) return this.#close();
    const options = await begun.source.find(room, begun.name.toLowerCase()).catch(() => []);
    this.#begun = this.#atCaret();
    if (room !== this.#room() || this.#begun?.source !== begun.source || this.#begun.name !== begun.name) return this.#close();
    this.#found = options.slice(0, MAX_SHOWN);
    this.#place = 0;
    this.#paint();
  }

  /** Return the name that was begun before the caret, its source, and where its sign stands; or null. */
  #atCaret() {
    const { selectionStart, selectionEnd, value, readOnly } = this.#text;
    if (selectionStart !== selectionEnd || readOnly) return null;
    for (const source of this.#sources) {
      const found = value.slice(0, selectionStart).match(source.begun);
      if (found) return { source, name: found[1], start: selectionStart - found[1].length - 1 };
    }
    return null;
  }

  #pressed(key) {
    if (this.#found.length === 0 || key.isComposing) return;
    if (key.key in STEPS) {
      this.#place = (this.#place + STEPS[key.key] + this.#found.length) % this.#found.length;
      this.#paint();
    } else if (key.key === "Escape") this.#close();
    else if ((key.key === "Enter" || key.key === "Tab") && !key.shiftKey) this.#choose(this.#found[this.#place]);
    else return;
    key.preventDefault();
    key.stopPropagation();
  }

  #clicked(row) {
    const option = row && this.#found.find(({ key }) => key === row.id);
    if (option) this.#choose(option);
  }

  #choose({ put }) {
    this.#text.setRangeText(`${put} `, this.#begun.start, this.#text.selectionStart, "end");
    this.#close();
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #close() {
    this.#found = [];
    this.#paint();
  }

  #paint() {
    const isOpen = this.#found.length > 0;
    patch(this.#box, this.#found.map((option, place) => optionRow(option, place === this.#place)));
    this.#box.hidden = !isOpen;
    if (isOpen) this.#text.setAttribute("aria-activedescendant", this.#found[this.#place].key);
    else this.#text.removeAttribute("aria-activedescendant");
  }
}

function optionRow({ key, label }, isChosen) {
  const build = () => el("li", { id: key, role: "option" }, label());
  return { key, build, update: (row) => (row.ariaSelected = String(isChosen)) };
}

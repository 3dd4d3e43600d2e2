// Completes the name behind an `@` in the composer, from the room's members: a list above it, chosen from by keys or the mouse.

import { patch } from "./patch.js";
import { el, nameEl } from "./view.js";

const MAX_SHOWN = 8;
const BEGUN = /(?:^|[^\p{L}\p{N}_@])@([^\s@]*)$/u;
const STEPS = { ArrowUp: -1, ArrowDown: 1 };

/** One list for the composer. */
export class MentionList {
  #text;
  #box;
  #names;
  #room;
  #userId;
  #found = []; // [{id, username}]; empty: the list is closed
  #place = 0; // of the one that Enter takes
  #start = 0; // of the name in the text

  /** `names` are MemberNames, `room()` is the id of the one that is shown; the user is not offered. */
  constructor(root, names, room, userId) {
    [this.#text, this.#box] = [root.getElementById("text"), root.getElementById("mention-list")];
    [this.#names, this.#room, this.#userId] = [names, room, userId];
    for (const name of ["input", "click"]) this.#text.addEventListener(name, () => this.#look());
    this.#text.addEventListener("blur", () => this.#close());
    this.#text.addEventListener("keydown", (key) => this.#pressed(key), { capture: true });
    this.#box.addEventListener("mousedown", (press) => press.preventDefault()); // the field keeps the focus
    this.#box.addEventListener("click", ({ target }) => this.#clicked(target.closest("li")));
  }

  async #look() {
    const [room, begun] = [this.#room(), this.#begun];
    if (!begun || !room) return this.#close();
    const people = await this.#names.load(room).catch(() => []);
    const current = this.#begun;
    if (room !== this.#room() || !current) return this.#close();
    const beginning = current.name.toLowerCase();
    const isMeant = ({ id, username }) => id !== this.#userId && username.toLowerCase().startsWith(beginning);
    [this.#found, this.#place, this.#start] = [people.filter(isMeant).slice(0, MAX_SHOWN), 0, current.start];
    this.#paint();
  }

  /** The name that was begun before the caret, and where it starts; or null. */
  get #begun() {
    const { selectionStart, selectionEnd, value, readOnly } = this.#text;
    const found = selectionStart === selectionEnd && !readOnly && value.slice(0, selectionStart).match(BEGUN);
    return found ? { name: found[1], start: selectionStart - found[1].length } : null;
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
    const person = row && this.#found.find(({ id }) => id === Number(row.dataset.member));
    if (person) this.#choose(person);
  }

  #choose({ username }) {
    this.#text.setRangeText(`${username} `, this.#start, this.#text.selectionStart, "end");
    this.#close();
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #close() {
    this.#found = [];
    this.#paint();
  }

  #paint() {
    const isOpen = this.#found.length > 0;
    patch(this.#box, this.#found.map((person, place) => optionRow(person, place === this.#place)));
    this.#box.hidden = !isOpen;
    if (isOpen) this.#text.setAttribute("aria-activedescendant", optionId(this.#found[this.#place]));
    else this.#text.removeAttribute("aria-activedescendant");
  }
}

function optionId({ id }) {
  return `mention-${id}`;
}

function optionRow(person, isChosen) {
  const build = () => {
    const row = el("li", { id: optionId(person), role: "option" }, nameEl(person.username));
    row.dataset.member = person.id;
    return row;
  };
  return { key: person.id, build, update: (row) => (row.ariaSelected = String(isChosen)) };
}

// A field of a dialog in which people are found by name while one types: a combobox with the list of those whom the server shows.
//
// Whoever is chosen from the list is known by their id. What is only typed is looked up when the form is sent: an exact name, or an id.

import { plain } from "./names.js";
import { el } from "./nodes.js";
import { patch, setText } from "./patch.js";
import { gettext } from "./texts.js";
import { nameEl } from "./view.js";

const TYPING_MS = 250; // a pause, then people are searched: the server counts searches
const MIN_CHARACTERS = 2; // of a name: for fewer the server finds nobody
const ID = /^[1-9][0-9]{0,15}$/;
const STEPS = { ArrowDown: 1, ArrowUp: -1 };

/** One field; a `data-many` takes several people, and names with commas. */
export class PeopleField {
  #box;
  #field;
  #list;
  #find;
  #isMany;
  #found = []; // [{id, username}]; empty: the list is closed
  #place = -1; // of the one that Enter takes; -1: Enter sends the form
  #chosen = []; // those from the list
  #searching = null;

  /** `box` holds the input, its listbox, a status and, for several people, the list of those who are chosen. `find(beginning)` is `peopleFinder` of api.js. */
  constructor(box, find) {
    [this.#box, this.#find, this.#isMany] = [box, find, "many" in box.dataset];
    [this.#field, this.#list] = [box.querySelector("[role=combobox]"), box.querySelector("[role=listbox]")];
    this.#field.addEventListener("input", () => this.#typed());
    this.#field.addEventListener("keydown", (key) => this.#pressed(key));
    this.#field.form.addEventListener("reset", () => this.#forget());
    box.closest("dialog").addEventListener("close", () => this.#close());
    this.#list.addEventListener("mousedown", (press) => press.preventDefault()); // the field keeps the focus
    this.#list.addEventListener("click", ({ target }) => this.#choose(this.#found[[...this.#list.children].indexOf(target.closest("li"))]));
    box.querySelector(".chosen")?.addEventListener("click", ({ target }) => this.#drop(target.closest("button")));
  }

  /** Return the ids of all who are chosen or typed; throws a sentence for a name that nobody has, or several have. */
  async ids() {
    const typed = this.#isMany ? this.#field.value.split(",") : [this.#field.value];
    const names = typed.map((one) => one.trim()).filter((name) => name && (this.#isMany || name !== this.#chosen[0]?.username));
    const ids = await Promise.all(names.map((name) => this.#idOf(name)));
    return [...new Set([...this.#chosen.map(({ id }) => id), ...ids])];
  }

  async #idOf(name) {
    const people = (await this.#find(name)).filter(({ username }) => username === name.normalize("NFKC"));
    if (people.length > 1) throw new Error(gettext("Several people are called {name}. Choose one of the list.", { name: plain(name) }));
    if (people.length === 0 && !ID.test(name)) throw new Error(gettext("Nobody called {name} can be found.", { name: plain(name) }));
    return people[0]?.id ?? Number(name);
  }

  // -- the list -------------------------------------------------------------------------------------

  #typed() {
    if (!this.#isMany) this.#chosen = [];
    this.#close();
    const name = this.#begun;
    if (name.length >= MIN_CHARACTERS) this.#searching = setTimeout(() => this.#search(name), TYPING_MS);
  }

  /** What is completed: of several names the last. */
  get #begun() {
    return (this.#isMany ? this.#field.value.slice(this.#field.value.lastIndexOf(",") + 1) : this.#field.value).trim();
  }

  async #search(name) {
    const searching = this.#searching;
    let sentence;
    try {
      const people = await this.#find(name);
      if (searching !== this.#searching) return;
      this.#found = people.filter(({ id }) => !this.#chosen.some((one) => one.id === id));
      sentence = gettext("People found: {count}", { count: this.#found.length });
    } catch (error) {
      if (searching !== this.#searching) return;
      sentence = error.message;
    }
    this.#paint(sentence);
  }

  #pressed(key) {
    if (key.isComposing) return;
    if (key.key === "Backspace" && this.#isMany && !this.#field.value) return this.#drop(this.#box.querySelector(".chosen li:last-child button"));
    if (!this.#found.length) return;
    if (key.key in STEPS) this.#move(STEPS[key.key]);
    else if (key.key === "Escape") this.#close(); // and not the dialog
    else if (key.key === "Tab") return this.#close(); // a click elsewhere doesn't: what it meant would move away under it
    else if (key.key === "Enter" && this.#place >= 0) this.#choose(this.#found[this.#place]);
    else return;
    key.preventDefault();
  }

  #move(step) {
    const { length } = this.#found;
    this.#place = this.#place < 0 && step < 0 ? length - 1 : (this.#place + step + length) % length;
    this.#paint();
  }

  #choose(person) {
    if (!person) return;
    if (this.#isMany) {
      this.#chosen.push(person);
      this.#field.value = this.#field.value.slice(0, this.#field.value.lastIndexOf(",") + 1);
    } else {
      this.#chosen = [person];
      this.#field.value = person.username;
    }
    this.#close();
  }

  #drop(button) {
    if (!button) return;
    this.#chosen = this.#chosen.filter(({ id }) => String(id) !== button.value);
    this.#paint();
    this.#field.focus();
  }

  #forget() {
    this.#chosen = [];
    this.#close();
  }

  #close() {
    clearTimeout(this.#searching);
    [this.#searching, this.#found, this.#place] = [null, [], -1];
    this.#paint("");
  }

  #paint(sentence) {
    const { id } = this.#list;
    patch(this.#list, this.#found.map((person, place) => this.#option(person, `${id}-${person.id}`, place === this.#place)));
    this.#list.hidden = this.#found.length === 0;
    this.#field.ariaExpanded = String(!this.#list.hidden);
    if (this.#place >= 0) this.#field.setAttribute("aria-activedescendant", `${id}-${this.#found[this.#place].id}`);
    else this.#field.removeAttribute("aria-activedescendant");
    this.#list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
    if (sentence !== undefined) setText(this.#box.querySelector("[role=status]"), sentence);
    if (this.#isMany) patch(this.#box.querySelector(".chosen"), this.#chosen.map(chosenRow));
  }

  #option({ id, username }, key, isChosen) {
    const isAlone = this.#found.filter((one) => one.username === username).length === 1;
    const build = () => el("li", { id: key, role: "option" }, nameEl(username), isAlone ? "" : el("small", {}, ` #${id}`));
    return { key, build, update: (row) => (row.ariaSelected = String(isChosen)) };
  }
}

function chosenRow({ id, username }) {
  const build = () => {
    const button = el("button", { type: "button", value: id, ariaLabel: gettext("Take {name} away", { name: plain(username) }) }, "×");
    return el("li", {}, nameEl(username), " ", button);
  };
  return { key: String(id), build };
}

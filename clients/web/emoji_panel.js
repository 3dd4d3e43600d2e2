// What the picker of emoji shows: a field to search in, categories, and the emoji of one, or those that were found.
//
// Arrows go from emoji to emoji and from category to category. Loaded with the picker.

import { el } from "./nodes.js";
import { setText } from "./patch.js";
import { gettext, gettext_noop } from "./texts.js";
import { isTouched } from "./touch.js";

const RECENT = -1; // in place of a group
const MOST_RECENT = 40;
const POPULAR = ["👍", "👎", "❤️", "😂", "🎉", "😮", "😢", "🙏", "👏", "🔥", "✅", "👀"]; // before anything was used
const CATEGORIES = [
  [RECENT, "🕘", gettext_noop("Recently used")],
  [0, "😀", gettext_noop("Smileys")],
  [1, "👋", gettext_noop("People")],
  [3, "🐻", gettext_noop("Animals and nature")],
  [4, "🍔", gettext_noop("Food and drink")],
  [5, "🚗", gettext_noop("Travel and places")],
  [6, "⚽", gettext_noop("Activities")],
  [7, "💡", gettext_noop("Objects")],
  [8, "🔣", gettext_noop("Symbols")],
  [9, "🏁", gettext_noop("Flags")],
];
const STEPS = {
  ArrowLeft: (place) => place - 1,
  ArrowRight: (place) => place + 1,
  ArrowUp: (place, columns) => place - columns,
  ArrowDown: (place, columns) => place + columns,
  Home: () => 0,
  End: (place, columns, count) => count - 1,
};

/** The panel of one picker. */
export class EmojiPanel {
  #set;
  #memory;
  #search = el("input", { type: "search", autocomplete: "off", spellcheck: false });
  #tabs = el("div", { role: "tablist", ariaLabel: gettext("Categories") });
  #panel = el("div", { role: "tabpanel", id: "emoji-panel" });
  #list = el("div", { role: "listbox", ariaMultiSelectable: "true" });
  #told = el("p", { role: "status" });
  #group = RECENT;
  #mine = [];

  /** `box` is empty; `set` is an EmojiSet; `memory` keeps what was used; `chosen(emoji)` is told a choice. */
  constructor(box, set, memory, chosen) {
    [this.#set, this.#memory] = [set, memory];
    this.#search.placeholder = this.#search.ariaLabel = gettext("Search emoji");
    this.#tabs.append(...CATEGORIES.map(([group, sign, title]) => tabEl(group, sign, gettext(title))));
    this.#panel.append(this.#list);
    box.append(this.#search, this.#tabs, this.#panel, this.#told);
    this.#search.addEventListener("input", () => this.#show());
    this.#search.addEventListener("keydown", (key) => this.#typed(key));
    this.#tabs.addEventListener("click", ({ target }) => this.#select(target));
    this.#tabs.addEventListener("keydown", (key) => this.#turned(key));
    this.#list.addEventListener("keydown", (key) => this.#moved(key));
    this.#list.addEventListener("click", ({ target: { dataset } }) => dataset.emoji && this.#choose(dataset.emoji, chosen));
  }

  /** Begin anew; `mine` are the emoji that the user reacted with. */
  open(mine) {
    [this.#mine, this.#group, this.#search.value] = [mine, RECENT, ""];
    this.#show();
  }

  /** Take the focus: where people touch the screen, without the keys. */
  focus() {
    if (isTouched()) this.#focus(0);
    else this.#search.focus({ preventScroll: true });
  }

  /** Whether Tab leaves the panel from here, or Shift and Tab. */
  isEdge(node, isBack) {
    const stops = [this.#search, ...this.#tabs.children, ...this.#list.children].filter(({ tabIndex }) => tabIndex === 0);
    return node === stops.at(isBack ? 0 : -1);
  }

  get #query() {
    return this.#search.value.trim();
  }

  get #used() {
    return this.#memory.get("emoji", "used") ?? [];
  }

  #show() {
    const query = this.#query;
    const found = query ? this.#set.find(query) : this.#of(this.#group);
    for (const tab of this.#tabs.children) {
      tab.ariaSelected = String(!query && tab.dataset.group === String(this.#group));
      tab.tabIndex = tab.dataset.group === String(this.#group) ? 0 : -1;
    }
    this.#panel.ariaLabel = this.#list.ariaLabel = query ? gettext("Found emoji") : gettext(CATEGORIES.find(([group]) => group === this.#group)[2]);
    this.#list.replaceChildren(...found.map((one, place) => this.#option(one, place)));
    this.#list.hidden = found.length === 0;
    this.#panel.scrollTop = 0;
    setText(this.#told, query && (found.length ? gettext("{number} found", { number: found.length }) : gettext("No emoji has this name.")));
  }

  #of(group) {
    if (group !== RECENT) return this.#set.all.filter((one) => one.group === group);
    return this.#set.known([...new Set([...this.#used, ...POPULAR])]).slice(0, MOST_RECENT);
  }

  #option({ emoji, label, names }, place) {
    const option = el("button", { type: "button", role: "option", title: `${label} :${names[0]}:`, ariaLabel: label, tabIndex: place ? -1 : 0 }, emoji);
    option.ariaSelected = String(this.#mine.includes(emoji));
    option.dataset.emoji = emoji;
    return option;
  }

  #choose(emoji, chosen) {
    this.#memory.set("emoji", "used", [...new Set([emoji, ...this.#used])].slice(0, MOST_RECENT));
    chosen(emoji);
  }

  #select({ dataset: { group } }) {
    if (!group) return;
    [this.#group, this.#search.value] = [Number(group), ""];
    this.#show();
  }

  #typed(key) {
    const [first] = this.#list.children;
    if (key.isComposing || !first) return;
    if (key.key === "ArrowDown") this.#focus(0);
    else if (key.key === "Enter" && this.#query) first.click();
    else return;
    key.preventDefault();
  }

  #turned(key) {
    const tabs = [...this.#tabs.children];
    const step = key.key === "ArrowUp" ? null : STEPS[key.key];
    if (!step) return;
    key.preventDefault();
    if (key.key === "ArrowDown") return this.#focus(0);
    const tab = tabs[step(tabs.indexOf(key.target), 0, tabs.length)];
    if (!tab) return;
    this.#select(tab);
    tab.focus();
  }

  #moved(key) {
    const options = [...this.#list.children];
    if (!STEPS[key.key]) return;
    key.preventDefault();
    const columns = getComputedStyle(this.#list).gridTemplateColumns.split(" ").length;
    const place = STEPS[key.key](options.indexOf(key.target), columns, options.length);
    if (place < 0 && key.key === "ArrowUp") this.#search.focus();
    else if (options[place]) this.#focus(place);
  }

  #focus(place) {
    const options = [...this.#list.children];
    for (const [at, option] of options.entries()) option.tabIndex = at === place ? 0 : -1;
    options[place]?.focus();
  }
}

function tabEl(group, sign, title) {
  const tab = el("button", { type: "button", role: "tab", title, ariaLabel: title }, sign);
  tab.dataset.group = group;
  tab.setAttribute("aria-controls", "emoji-panel");
  return tab;
}

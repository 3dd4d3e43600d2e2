// The emoji to react with: a small menu beside the button that opened it.
//
// Arrows go from emoji to emoji. Escape, Tab and a click elsewhere close it; the focus returns to the button.

import { EMOJI } from "./emoji.js";
import { el } from "./nodes.js";

const COLUMNS = 6; // as in chat.css
const GAP_PX = 4; // from the button, and from the edge of the screen
const KEYS = {
  ArrowLeft: (place) => place - 1,
  ArrowRight: (place) => place + 1,
  ArrowUp: (place) => place - COLUMNS,
  ArrowDown: (place) => place + COLUMNS,
  Home: () => 0,
  End: () => EMOJI.size - 1,
};

/** One menu for all messages of a document or shadow root. */
export class EmojiPicker {
  #box;
  #button = null; // which opened it
  #isPressed = false; // that button, while it was open: the browser closes it before the click

  /** `box` is an empty popover; `chosen(button, emoji)` is told the button that opened it. */
  constructor(box, chosen) {
    this.#box = box;
    box.append(...[...EMOJI].map(([name, emoji]) => itemEl(name, emoji)));
    box.addEventListener("click", ({ target }) => {
      const button = this.#button;
      if (!target.dataset.emoji) return;
      this.close();
      chosen(button, target.dataset.emoji);
    });
    box.getRootNode().addEventListener("pointerdown", ({ target }) => (this.#isPressed = this.#isOpen && this.#button.contains(target)), true);
    box.addEventListener("keydown", (key) => this.#pressed(key));
    box.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
  }

  /** Open it beside a button, or close it if it is open there; `mine` are the emoji that the user reacted with. */
  toggle(button, mine) {
    const isSecond = this.#isPressed;
    this.#isPressed = false;
    this.close();
    if (isSecond) return;
    this.#button = button;
    button.focus({ preventScroll: true }); // not every browser focuses what is clicked
    button.ariaExpanded = "true";
    for (const item of this.#items) item.ariaChecked = String(mine.includes(item.dataset.emoji));
    this.#box.showPopover();
    this.follow();
    this.#focus(0);
  }

  close() {
    if (!this.#isOpen) return;
    this.#box.hidePopover();
    this.#closed();
  }

  /** Stay beside the button, which may have moved; without it there is nothing to choose for. */
  follow() {
    if (!this.#isOpen) return;
    if (!this.#button.isConnected) return this.close();
    const { left, top, bottom } = this.#button.getBoundingClientRect();
    const { width, height } = this.#box.getBoundingClientRect();
    const isBelow = bottom + height + 2 * GAP_PX <= innerHeight;
    this.#box.style.left = `${within(left, innerWidth - width)}px`;
    this.#box.style.top = `${within(isBelow ? bottom + GAP_PX : top - height - GAP_PX, innerHeight - height)}px`;
  }

  get #isOpen() {
    return this.#box.matches(":popover-open");
  }

  get #items() {
    return [...this.#box.children];
  }

  #closed() {
    if (this.#isOpen || !this.#button) return; // opened again meanwhile
    this.#button.ariaExpanded = "false";
    const root = this.#box.getRootNode();
    const isLost = !root.activeElement || root.activeElement === document.body || this.#box.contains(root.activeElement);
    if (isLost) (this.#button.isConnected ? this.#button : root.getElementById("messages")).focus({ preventScroll: true });
    this.#button = null;
  }

  #pressed(key) {
    if (key.key === "Tab") return this.close(); // and on from the button
    if (!KEYS[key.key]) return;
    key.preventDefault();
    const place = KEYS[key.key](this.#items.indexOf(key.target));
    if (this.#items[place]) this.#focus(place);
  }

  #focus(place) {
    for (const [at, item] of this.#items.entries()) item.tabIndex = at === place ? 0 : -1;
    this.#items[place].focus({ preventScroll: true });
  }
}

function itemEl(name, emoji) {
  const item = el("button", { type: "button", title: `:${name}:` }, emoji);
  item.setAttribute("role", "menuitemcheckbox");
  item.dataset.emoji = emoji;
  return item;
}

function within(place, end) {
  return Math.max(GAP_PX, Math.min(place, end - GAP_PX));
}

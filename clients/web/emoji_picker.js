// The emoji to choose from: a small window beside the button that opened it, loaded when one first does.
//
// Escape, Tab at its end and a click elsewhere close it; the focus returns to the button.

import { EmojiPanel } from "./emoji_panel.js";

const GAP_PX = 4; // from the button, and from the edge of the screen

/** One window for all buttons of a document or shadow root. */
export class EmojiPicker {
  #box;
  #panel;
  #button = null; // which opened it
  #chosen = null; // what is called with the choice
  #isPressed = false; // that button, while it was open: the browser closes it before the click

  /** `box` is an empty popover; `set` is an EmojiSet; `memory` keeps which emoji were used. */
  constructor(box, set, memory) {
    this.#box = box;
    this.#panel = new EmojiPanel(box, set, memory, (emoji) => {
      const chosen = this.#chosen;
      this.close();
      chosen(emoji);
    });
    box.getRootNode().addEventListener("pointerdown", ({ target }) => (this.#isPressed = this.#isOpen && this.#button.contains(target)), true);
    box.addEventListener("keydown", (key) => {
      if (key.key === "Tab" && this.#panel.isEdge(key.target, key.shiftKey)) this.close(); // and on from the button
    });
    box.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
  }

  /** Open it beside a button, or close it if it is open there; `mine` are the emoji that are chosen already. */
  toggle(button, mine, chosen) {
    const isSecond = this.#isPressed;
    this.#isPressed = false;
    this.close();
    if (isSecond || !button.isConnected) return;
    [this.#button, this.#chosen] = [button, chosen];
    button.focus({ preventScroll: true }); // not every browser focuses what is clicked
    button.ariaExpanded = "true";
    this.#panel.open(mine);
    this.#box.showPopover();
    this.follow();
    this.#panel.focus();
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

  #closed() {
    if (this.#isOpen || !this.#button) return; // opened again meanwhile
    this.#button.ariaExpanded = "false";
    const root = this.#box.getRootNode();
    const isLost = !root.activeElement || root.activeElement === document.body || this.#box.contains(root.activeElement);
    if (isLost) (this.#button.isConnected ? this.#button : root.getElementById("messages")).focus({ preventScroll: true });
    this.#button = null;
  }
}

function within(place, end) {
  return Math.max(GAP_PX, Math.min(place, end - GAP_PX));
}

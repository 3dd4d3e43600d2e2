// The log on the screen: patched rows, and the reader's place, which only the reader moves.

import { patch } from "./patch.js";

const NEAR_END_PX = 80; // who is so close to the end wants to stay there
const LOAD_PX = 150; // from an end of what is loaded: the rest comes before the reader is there
const SEEN_PX = 4; // of a row may be cut off by rounding
const FLASH_MS = 1_600;

/** One scrolling box of rows; `moved(pixels)` is called after the reader has scrolled, up if it is negative, and with 0 after all else. */
export class MessageList {
  isAtEnd = true;
  #box;
  #scrollTop = 0; // as it was measured last
  #from = 0; // where the reader was before the present scroll
  #lines = []; // the rows that stand for events

  constructor(box, moved) {
    this.#box = box;
    box.addEventListener("scroll", () => {
      const before = this.#from;
      this.#settle();
      moved(this.#from - before);
    });
    box.addEventListener("wheel", ({ deltaY }) => moved(deltaY), { passive: true }); // at an end nothing scrolls
    new ResizeObserver(() => {
      this.#notice();
      if (this.isAtEnd) this.toEnd();
      moved(0);
    }).observe(box);
  }

  /**
   * Show these rows; the first line on the screen stays where it is, or the end where the reader was there: but
   * for a reader who `isAway` not beyond the divider.
   */
  show(rows, isAway) {
    this.#notice();
    const place = this.place();
    patch(this.#box, rows);
    this.#lines = [...this.#box.querySelectorAll("[data-seq]")];
    const [from, before] = [this.#from, this.#box.scrollTop];
    if (!this.isAtEnd) this.restore(place);
    else if (isAway) this.toDivider();
    else this.toEnd();
    this.#from = from + this.#box.scrollTop - before; // a scroll that the browser has not told of yet still counts
  }

  /** Whether the reader is close to the first row. */
  get isNearStart() {
    return this.#box.scrollTop < LOAD_PX;
  }

  /** Whether the reader is close to the last row. */
  get isNearEnd() {
    return this.#below() < LOAD_PX;
  }

  toEnd() {
    this.isAtEnd = true;
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#settle();
  }

  /** Go as far to the end as the first new message stays on the screen. */
  toDivider() {
    const divider = this.#box.querySelector(".divider");
    this.toEnd();
    if (!divider) return;
    const above = this.#top() - divider.getBoundingClientRect().top;
    if (above > 0) this.#box.scrollTop -= above;
    this.#settle();
  }

  /** Return where the reader is: the first line on the screen, and how far its end is from the top. */
  place() {
    const row = this.#lines[numberAbove(this.#lines, this.#top())];
    return row ? { key: row.dataset.key, offset: row.getBoundingClientRect().bottom - this.#top() } : null;
  }

  /** Go back to such a place; false where its line is gone. */
  restore(place) {
    const row = place && this.#box.querySelector(`[data-key="${CSS.escape(place.key)}"]`);
    if (!row) return false;
    this.#box.scrollTop += row.getBoundingClientRect().bottom - this.#top() - place.offset;
    this.#settle();
    return true;
  }

  /** Go to the line of this seq, focus it and light it up; false where it is not here. */
  reveal(seq) {
    const row = this.#box.querySelector(`[data-seq="${seq}"]`);
    if (!row) return false;
    row.tabIndex = -1;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true }); // its outline stays
    flash(row.querySelector(".text") ?? row);
    this.#settle();
    return true;
  }

  /** Return the seqs of the first line and of the last one that are on the screen, the latter in full; or nulls. */
  seen() {
    const { top, bottom } = this.#box.getBoundingClientRect();
    const first = this.#lines[numberAbove(this.#lines, top)];
    const last = this.#lines[numberAbove(this.#lines, bottom + SEEN_PX) - 1];
    return [seqOf(first), seqOf(last)];
  }

  /** See where the reader has gone: the browser tells of it only before it draws again. */
  #notice() {
    if (this.#box.scrollTop !== this.#scrollTop) this.#measure();
  }

  /** The list is where its own code or the reader's scroll has put it. */
  #settle() {
    this.#measure();
    this.#from = this.#scrollTop;
  }

  #measure() {
    this.#scrollTop = this.#box.scrollTop;
    this.isAtEnd = this.#below() < NEAR_END_PX;
  }

  #below() {
    return this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight;
  }

  #top() {
    return this.#box.getBoundingClientRect().top;
  }
}

/** Light a node up for a moment, for those who want motion. */
function flash(node) {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  node.animate([{ boxShadow: "0 0 0 0.5rem var(--accent)" }, {}], { duration: FLASH_MS, easing: "ease-in" });
}

/** Return how many of the lines, which stand one below the other, end at this height or above. */
function numberAbove(lines, height) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle].getBoundingClientRect().bottom <= height) low = middle + 1;
    else high = middle;
  }
  return low;
}

function seqOf(row) {
  return row ? Number(row.dataset.seq) : null;
}

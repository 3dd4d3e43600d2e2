// The log on the screen: patched rows, and the reader's place, which only the reader moves.

import { patch } from "./patch.js";

const NEAR_END_PX = 80; // who is so close to the end wants to stay there
const SEEN_PX = 4; // of a row may be cut off by rounding
const FLASH_MS = 1_600;

/** One scrolling box of rows; `moved` is called after the reader has scrolled or the box has another size. */
export class MessageList {
  isAtEnd = true;
  #box;
  #scrollTop = 0; // as it was measured last

  constructor(box, moved) {
    this.#box = box;
    box.addEventListener("scroll", () => {
      this.#measure();
      moved();
    });
    new ResizeObserver(() => {
      this.#notice();
      if (this.isAtEnd) this.toEnd();
      moved();
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
    if (!this.isAtEnd) this.restore(place);
    else if (isAway) this.toDivider();
    else this.toEnd();
  }

  toEnd() {
    this.isAtEnd = true;
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#scrollTop = this.#box.scrollTop;
  }

  /** Go as far to the end as the first new message stays on the screen. */
  toDivider() {
    const divider = this.#box.querySelector(".divider");
    this.toEnd();
    if (!divider) return;
    const above = this.#top() - divider.getBoundingClientRect().top;
    if (above > 0) this.#box.scrollTop -= above;
    this.#measure();
  }

  /** Return where the reader is: the first line on the screen, and how far its end is from the top. */
  place() {
    const row = this.#lines().find((line) => line.getBoundingClientRect().bottom > this.#top());
    return row ? { key: row.dataset.key, offset: row.getBoundingClientRect().bottom - this.#top() } : null;
  }

  /** Go back to such a place; false where its line is gone. */
  restore(place) {
    const row = this.#lines().find((line) => line.dataset.key === place?.key);
    if (!row) return false;
    this.#box.scrollTop += row.getBoundingClientRect().bottom - this.#top() - place.offset;
    this.#measure();
    return true;
  }

  /** Go to the line of this seq, focus it and light it up; false where it is not here. */
  reveal(seq) {
    const row = this.#lines().find((line) => seqOf(line) === seq);
    if (!row) return false;
    row.tabIndex = -1;
    row.scrollIntoView({ block: "center" });
    row.focus({ preventScroll: true }); // its outline stays
    flash(row.querySelector(".text") ?? row);
    this.#measure();
    return true;
  }

  /** Return the seqs of the first line and of the last one that are on the screen, the latter in full; or nulls. */
  seen() {
    const { bottom } = this.#box.getBoundingClientRect();
    const first = this.#lines().find((line) => line.getBoundingClientRect().bottom > this.#top());
    const last = this.#lines().findLast((line) => line.getBoundingClientRect().bottom <= bottom + SEEN_PX);
    return [seqOf(first), seqOf(last)];
  }

  /** See where the reader has gone: the browser tells of it only before it draws again. */
  #notice() {
    if (this.#box.scrollTop !== this.#scrollTop) this.#measure();
  }

  #measure() {
    this.#scrollTop = this.#box.scrollTop;
    this.isAtEnd = this.#box.scrollHeight - this.#box.scrollTop - this.#box.clientHeight < NEAR_END_PX;
  }

  #lines() {
    return [...this.#box.querySelectorAll("[data-seq]")];
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

function seqOf(row) {
  return row ? Number(row.dataset.seq) : null;
}

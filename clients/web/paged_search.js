// What the searches of the page have in common: one at a time, page by page, into a list below what was looked for.

import { dialogForm } from "./dialogs.js";
import { setText } from "./patch.js";
import { gettext } from "./texts.js";

/** A form with a list of what was found, a status that counts it, and a button for the next page. */
export class PagedSearch {
  #parts;
  #wanted = null; // the search that is shown
  #next = null; // the cursor of its next page

  /**
   * `parts` are the nodes `form`, `list`, `status` and `more`, and `queryOf(fields)`, `find(query)`, which returns a page with
   * `next`, `rowsOf(page, query)`, `countText(number, hasMore)`, and `attempt(button, work)`, which does what a button is for.
   */
  constructor(parts) {
    this.#parts = parts;
    const { form, more, queryOf, attempt } = parts;
    more.addEventListener("click", () => attempt(more, () => this.#read({ cursor: this.#next })));
    dialogForm(form, (fields) => this.#begin(queryOf(fields)), { stays: true });
  }

  async #begin(query) {
    const { list, more, status } = this.#parts;
    this.#wanted = query;
    list.replaceChildren();
    more.hidden = true;
    setText(status, gettext("Searching…"));
    try {
      await this.#read({});
    } catch (error) {
      setText(status, "");
      throw error;
    }
  }

  async #read(from) {
    const { list, more, status, find, rowsOf, countText } = this.#parts;
    const wanted = this.#wanted;
    const page = await find({ ...wanted, ...from });
    if (wanted !== this.#wanted) return;
    this.#next = page.next;
    const count = list.children.length;
    list.append(...rowsOf(page, wanted));
    more.hidden = page.next === null;
    setText(status, countText(list.children.length, page.next !== null));
    if (count) list.children[count]?.querySelector("button").focus();
  }
}

/** Do what a button is for, which waits meanwhile; `failed(sentence)` is told what went wrong. */
export async function press(button, work, failed) {
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    failed(error.message);
  }
  button.disabled = false;
}

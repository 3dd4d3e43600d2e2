// Who of the others has read the last message that any of them has: the words below it, and their names in a dialog.

import { ListDialog } from "./list_dialog.js";
import { plain } from "./names.js";
import { el } from "./nodes.js";
import { patch, setText } from "./patch.js";
import { gettext } from "./texts.js";
import { nameEl } from "./view.js";

const NAMED = 3; // of more the number is shown

/** The readers of one room at a time. */
export class ReadBy extends ListDialog {
  #readers = []; // {id, name}; no name: it is not known

  /** `parts` are client, names (MemberNames), userId, `opened(dialog)` to show one, and `changed()`. */
  constructor(root, parts) {
    super(root, "readers-dialog", parts);
  }

  /** Return the row below the last message that others have read, and its message's seq; or null. */
  below(roomId, id, lines) {
    const { userId, client, names, changed } = this.parts;
    const others = [...client.receipts(roomId)].filter(([user]) => user !== userId);
    const readersOf = ({ seq, user: author }) => others.filter(([user, mark]) => mark >= seq && user !== author.id);
    const last = lines.findLast((line) => !line.note && readersOf(line).length > 0);
    this.#readers = last ? readersOf(last).map(([user]) => ({ id: user, name: names.nameOf(roomId, user, changed) })) : [];
    if (!last) return null;
    const build = () => {
      // Nothing of it is said aloud: in the log each mark that moves would be.
      const button = el("button", { type: "button", ariaHasPopup: "dialog", onclick: () => this.open(roomId) });
      const row = el("div", { className: "read-by" }, button);
      row.setAttribute("aria-live", "off");
      return row;
    };
    return { seq: last.seq, row: { key: `${id}:read-by`, build, update: ({ firstElementChild: button }) => setText(button, this.#words()) } };
  }

  forget() {}

  load() {}

  paint() {
    if (!this.dialog.open) return;
    const named = this.#readers.filter(({ name }) => name !== null);
    const unnamed = this.#readers.length - named.length;
    const rows = named.map(({ id, name }) => ({ key: String(id), build: () => el("li", {}, el("span", { className: "who" }, nameEl(name))) }));
    if (unnamed) rows.push({ key: "unnamed", build: () => el("li"), update: (node) => setText(node, gettext("{number} more", { number: unnamed })) });
    patch(this.at("readers"), rows);
  }

  #words() {
    const names = this.#readers.map(({ name }) => name);
    if (names.length > NAMED || names.includes(null)) return gettext("Read by {number}", { number: names.length });
    return gettext("Read by {names}", { names: names.map(plain).join(", ") });
  }
}

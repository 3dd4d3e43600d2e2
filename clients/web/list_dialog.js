// A list of one room's things in a dialog: read when it is opened, and again when something of it changes.

import { setText } from "./patch.js";

/** What the lists of members and of pins have in common: the dialog, the room, and which answer counts. */
export class ListDialog {
  parts;
  dialog;
  room = null; // id
  #root;
  #turn = null; // the question whose answer counts

  /** `parts` has `opened(dialog)`, which shows one. */
  constructor(root, id, parts) {
    this.#root = root;
    this.parts = parts;
    this.dialog = this.at(id);
    this.dialog.querySelector("[data-closes]").addEventListener("click", () => this.dialog.close());
  }

  /** Show the list of a room. */
  open(roomId) {
    if (this.room !== roomId) this.forget();
    this.room = roomId;
    this.wrong.hidden = true;
    this.parts.opened(this.dialog);
    this.paint();
    this.load();
  }

  close() {
    if (this.dialog.open) this.dialog.close();
  }

  /** Follow the next event of a room. */
  heard(roomId, event) {
    if (this.dialog.open && roomId === this.room && this.concerns(event)) this.load();
  }

  at(id) {
    return this.#root.getElementById(id);
  }

  /** The place for why the list could not be read. */
  get wrong() {
    return this.dialog.querySelector(".wrong");
  }

  /**
   * Read by `read(isCurrent)` and hand what it returns to `take(found)`, unless a later reading has begun; a failure goes to
   * `failed(error)`, which returns the sentence to show.
   */
  async readInTurn(read, take, failed) {
    const turn = (this.#turn = {});
    try {
      const found = await read(() => turn === this.#turn);
      if (turn !== this.#turn) return;
      take(found);
      this.wrong.hidden = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      setText(this.wrong, failed(error));
      this.wrong.hidden = false;
    }
    this.paint();
  }

  /** Change the rows by `change()`; if that takes away what has the focus, the first `refuge` gets it. */
  keepingFocus(change, refuge) {
    const { activeElement } = this.#root;
    change();
    if (activeElement && !activeElement.isConnected) this.dialog.querySelector(refuge).focus();
  }
}

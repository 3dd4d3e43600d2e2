// A dialog that asks for something, on the page and in the element: its buttons, and one try at a time.

import { attempt } from "./attempt.js";

/** One dialog, for whatever it is opened; one that was closed and opened again is another one. */
export class AskingDialog {
  #dialog;
  #opened;
  #turn = null;

  /** `opened(dialog)` shows it; `work()` carries out what it asks for, and throws a sentence. */
  constructor(dialog, opened, work) {
    this.#dialog = dialog;
    this.#opened = opened;
    dialog.querySelector("[data-closes]").addEventListener("click", () => this.close());
    this.form.addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit(work);
    });
  }

  get form() {
    return this.#dialog.querySelector("form");
  }

  open() {
    this.#turn = {};
    this.#dialog.querySelector(".wrong").hidden = true;
    this.#dialog.querySelector(".primary").disabled = false;
    this.#opened(this.#dialog);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  async #submit(work) {
    if (this.#dialog.querySelector(".primary").disabled) return;
    const turn = this.#turn;
    const isOpen = () => turn === this.#turn && this.#dialog.open;
    if ((await attempt(this.#dialog, isOpen, work)) && isOpen()) this.close();
  }
}

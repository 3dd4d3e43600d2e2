// Reporting a message to the moderators: a reason, a few words, and what the server says to it.

import { say } from "./notice.js";
import { setText } from "./patch.js";
import { gettext, refusalText } from "./texts.js";

/** One dialog for all messages. */
export class ReportDialog {
  #client;
  #dialog;
  #text;
  #opened;
  #about = null; // {room, message}; one that was closed and opened again is another one

  /** `root` is a document or shadow root; `opened(dialog)` shows one. */
  constructor(root, client, opened) {
    this.#client = client;
    this.#opened = opened;
    this.#dialog = root.getElementById("report-dialog");
    this.#text = root.getElementById("report-text");
    this.#dialog.querySelector("[data-closes]").addEventListener("click", () => this.#dialog.close());
    this.#dialog.querySelector("form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit();
    });
  }

  /** Ask why a message, which says `text`, is to be reported. */
  open(room, message, text) {
    this.#about = { room, message };
    this.#dialog.querySelector("form").reset();
    setText(this.#text, text);
    this.#wrong.hidden = true;
    this.#button.disabled = false;
    this.#opened(this.#dialog);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  get #wrong() {
    return this.#dialog.querySelector(".wrong");
  }

  get #button() {
    return this.#dialog.querySelector(".primary");
  }

  async #submit() {
    const about = this.#about;
    const { reason, comment } = Object.fromEntries(new FormData(this.#dialog.querySelector("form")));
    const isOpen = () => about === this.#about && this.#dialog.open;
    this.#wrong.hidden = this.#button.disabled = true;
    try {
      const { duplicate } = await this.#client.reportMessage(about.room, about.message, reason, comment.trim());
      if (isOpen()) this.#dialog.close();
      say(duplicate ? gettext("You have reported this message already.") : gettext("Reported. The moderators will look at it."));
    } catch (error) {
      const sentence = gettext("The message was not reported: {reason}", { reason: refusalText(null, error.message) });
      if (!isOpen()) return say(sentence);
      setText(this.#wrong, sentence);
      this.#wrong.hidden = this.#button.disabled = false;
    }
  }
}

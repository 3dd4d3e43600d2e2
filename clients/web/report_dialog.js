// Reporting a message to the moderators: a reason, a few words, and what the server says to it.

import { attempt } from "./attempt.js";
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
    this.#dialog.querySelector(".wrong").hidden = true;
    this.#dialog.querySelector(".primary").disabled = false;
    this.#opened(this.#dialog);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  async #submit() {
    const about = this.#about;
    const { reason, comment } = Object.fromEntries(new FormData(this.#dialog.querySelector("form")));
    const isOpen = () => about === this.#about && this.#dialog.open;
    const isDone = await attempt(this.#dialog, isOpen, () => this.#report(about, reason, comment.trim()));
    if (isDone && isOpen()) this.#dialog.close();
  }

  async #report({ room, message }, reason, comment) {
    try {
      const { duplicate } = await this.#client.reportMessage(room, message, reason, comment);
      say(duplicate ? gettext("You have reported this message already.") : gettext("Reported. The moderators will look at it."));
    } catch (error) {
      throw new Error(gettext("The message was not reported: {reason}", { reason: refusalText(null, error.message) }), { cause: error });
    }
  }
}

// Reporting a message to the moderators: a reason, a few words, and what the server says to it.

import { AskingDialog } from "./asking.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { gettext, refusalText } from "./texts.js";

/** One dialog for all messages. */
export class ReportDialog {
  #client;
  #dialog;
  #text;
  #about = null; // {room, message}

  /** `root` is a document or shadow root; `opened(dialog)` shows one. */
  constructor(root, client, opened) {
    this.#client = client;
    this.#dialog = new AskingDialog(root.getElementById("report-dialog"), opened, () => this.#report());
    this.#text = root.getElementById("report-text");
  }

  /** Ask why a message, which says `text`, is to be reported. */
  open(room, message, text) {
    this.#about = { room, message };
    this.#dialog.form.reset();
    setText(this.#text, text);
    this.#dialog.open();
  }

  close() {
    this.#dialog.close();
  }

  async #report() {
    const { room, message } = this.#about;
    const { reason, comment } = Object.fromEntries(new FormData(this.#dialog.form));
    try {
      const { duplicate } = await this.#client.reportMessage(room, message, reason, comment.trim());
      say(duplicate ? gettext("You have reported this message already.") : gettext("Reported. The moderators will look at it."));
    } catch (error) {
      throw new Error(gettext("The message was not reported: {reason}", { reason: refusalText(null, error.message) }), { cause: error });
    }
  }
}

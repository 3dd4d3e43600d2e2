// Of which messages of a room the user wants to be told: all, those that mention them, or none. On all devices.
//
// The server keeps it; a server of an earlier release says nothing of it, and then it is all.

import { AskingDialog } from "./asking.js";
import { gettext, refusalText } from "./texts.js";

/** Whether the user wants to be told of a message of the room; `isMentioned`: it mentions them. */
export function isWanted({ notify = "all" }, isMentioned) {
  return notify === "all" || (notify === "mentions" && isMentioned);
}

/** Return how many of a room's unread messages the page's title counts. */
export function wanted({ notify = "all", unread, mentions }) {
  return { all: unread, mentions, none: 0 }[notify];
}

/** One dialog for all rooms. */
export class NotificationLevel {
  #client;
  #dialog;
  #room = ""; // id

  /** `root` is a document or shadow root; `opened(dialog)` shows one. */
  constructor(root, client, opened) {
    this.#client = client;
    this.#dialog = new AskingDialog(root.getElementById("level-dialog"), opened, () => this.#set());
  }

  /** Ask for the level of a room of the user's. */
  open(id) {
    this.#room = id;
    this.#dialog.form.elements.notify.value = this.#client.rooms.get(id).notify ?? "all";
    this.#dialog.open();
  }

  close() {
    this.#dialog.close();
  }

  async #set() {
    try {
      await this.#client.setNotifications(this.#room, this.#dialog.form.elements.notify.value);
    } catch (error) {
      throw new Error(gettext("Nothing was changed: {reason}", { reason: refusalText(null, error.message) }), { cause: error });
    }
  }
}

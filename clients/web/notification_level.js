// Of which messages of a room the user wants to be told: all, those that mention them, or none. On all devices.
//
// The server keeps it; a server of an earlier release says nothing of it, and then it is all.

import { attempt } from "./attempt.js";
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
  #opened;
  #room = null; // {id}; one that was closed and opened again is another one

  /** `root` is a document or shadow root; `opened(dialog)` shows one. */
  constructor(root, client, opened) {
    this.#client = client;
    this.#opened = opened;
    this.#dialog = root.getElementById("level-dialog");
    this.#dialog.querySelector("[data-closes]").addEventListener("click", () => this.close());
    this.#dialog.querySelector("form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit();
    });
  }

  /** Ask for the level of a room of the user's. */
  open(id) {
    this.#room = { id };
    this.#dialog.querySelector("form").elements.notify.value = this.#client.rooms.get(id).notify ?? "all";
    this.#dialog.querySelector(".wrong").hidden = true;
    this.#dialog.querySelector(".primary").disabled = false;
    this.#opened(this.#dialog);
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  async #submit() {
    const room = this.#room;
    const { value } = this.#dialog.querySelector("form").elements.notify;
    const isOpen = () => room === this.#room && this.#dialog.open;
    if ((await attempt(this.#dialog, isOpen, () => this.#set(room.id, value))) && isOpen()) this.close();
  }

  async #set(room, notify) {
    try {
      await this.#client.setNotifications(room, notify);
    } catch (error) {
      throw new Error(gettext("Nothing was changed: {reason}", { reason: refusalText(null, error.message) }), { cause: error });
    }
  }
}

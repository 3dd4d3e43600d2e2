// What people do to messages of the log: edit and delete them, by buttons in their rows.
//
// The page knows the author of each message, and that people in a direct room change only their own. Whether the
// user may delete others' messages in a group, it learns when the server refuses. The Tab order has the buttons of
// one row only: the focused row, or the last one. ↑ and ↓ go from row to row.

import { isChange } from "./changes.js";
import { setText } from "./patch.js";
import { fateIn, stateFor } from "./status.js";
import { gettext } from "./texts.js";

const KEYS = { ArrowUp: (place) => place - 1, ArrowDown: (place) => place + 1, Home: () => 0, End: () => Infinity };

/** The buttons of the selected room's messages. */
export class MessageActions {
  #root;
  #parts;
  #room = null; // id
  #asked = null; // the message whose deletion is to be confirmed
  #notOthers = new Set(); // ids of rooms in which the user may not delete others' messages

  /**
   * `root` is a document or shadow root; `parts` are client, timeline, composer, userId, `remove(roomId, message)`,
   * `opened(dialog)` to show one, and `changed()`.
   */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#at("messages").addEventListener("click", ({ target }) => this.#clicked(target.closest("[data-does]")));
    this.#at("messages").addEventListener("keydown", (key) => this.#moved(key));
    this.#at("messages").addEventListener("focusin", () => this.painted());
    const dialog = this.#at("delete-dialog");
    dialog.querySelector("[data-closes]").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#confirmed();
    });
  }

  enter(roomId) {
    this.#room = roomId;
    if (this.#at("delete-dialog").open) this.#at("delete-dialog").close();
  }

  /** Return a function that says how a message of the room stands: {text, fate, isEditing, isGoing, does}. */
  standing() {
    const { client, composer } = this.#parts;
    const commands = new Map(); // message id → what waits for an answer; nothing follows a deletion
    for (const command of client.outbox.filter((one) => isChange(one) && one.room === this.#room)) {
      if (commands.get(command.message)?.action !== "delete_message") commands.set(command.message, command);
    }
    const fate = fateIn(stateFor(client, this.#room));
    return (message) => {
      const command = message.deleted ? undefined : commands.get(message.id);
      const isGoing = command?.action === "delete_message";
      return {
        text: command?.text ?? message.text,
        fate: command ? fate : "",
        isGoing,
        isEditing: composer.isEditing(this.#room, message),
        does: message.deleted || isGoing ? [] : this.#allowed(message),
      };
    };
  }

  /** Edit the user's last message, where the end of the log is loaded; return whether. */
  editLast() {
    const { timeline, userId } = this.#parts;
    const view = timeline.get(this.#room);
    if (!view || view.hasLater) return false;
    const standing = this.standing();
    const last = view.lines.findLast((line) => line.user?.id === userId && standing(line).does.includes("edit"));
    if (last) this.#edit(last);
    return Boolean(last);
  }

  /** The server has refused a deletion: where the role does not allow it, don't offer it again. */
  refused({ room, message }, code) {
    const { timeline, userId } = this.#parts;
    const line = timeline.get(room)?.lines.find(({ id }) => id === message);
    if (code === "forbidden" && line && line.user.id !== userId) this.#notOthers.add(room);
  }

  /** Keep one row's buttons in the Tab order. */
  painted() {
    const rows = this.#rows();
    const current = rows.find((row) => row.contains(this.#root.activeElement)) ?? rows.at(-1);
    for (const row of rows) {
      const tabIndex = row === current ? 0 : -1;
      for (const button of row.children) if (button.tabIndex !== tabIndex) button.tabIndex = tabIndex;
    }
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  #rows() {
    return [...this.#at("messages").querySelectorAll(".actions")];
  }

  #allowed({ user }) {
    const { client, userId } = this.#parts;
    const room = client.rooms.get(this.#room);
    if (!room || room.archived || client.state === "ended") return [];
    if (user.id === userId) return ["edit", "delete"];
    return room.kind === "group" && !this.#notOthers.has(this.#room) ? ["delete"] : [];
  }

  #lineOf(node) {
    const seq = Number(node.closest("[data-seq]").dataset.seq);
    return this.#parts.timeline.get(this.#room)?.lines.find((line) => line.seq === seq);
  }

  #clicked(button) {
    const line = button && this.#lineOf(button);
    if (!line) return;
    if (button.dataset.does === "edit") return this.#edit(line);
    this.#asked = line;
    setText(this.#at("delete-text"), this.standing()(line).text);
    this.#parts.opened(this.#at("delete-dialog"));
  }

  #edit(line) {
    this.#parts.composer.edit(this.#room, { ...line, text: this.standing()(line).text });
    this.#parts.changed();
  }

  #confirmed() {
    const { timeline, remove } = this.#parts;
    const line = timeline.get(this.#room)?.lines.find(({ id }) => id === this.#asked.id);
    this.#at("delete-dialog").close();
    this.#at("messages").focus({ preventScroll: true }); // the button is gone in a moment
    if (line && !line.deleted) remove(this.#room, this.#asked);
  }

  #moved(key) {
    const row = key.target.closest(".actions");
    if (!row || !KEYS[key.key]) return;
    key.preventDefault();
    const rows = this.#rows();
    const next = rows[Math.max(0, Math.min(rows.length - 1, KEYS[key.key](rows.indexOf(row))))];
    const same = next.querySelector(`[data-does=${key.target.dataset.does}]`) ?? next.lastElementChild;
    same.focus();
  }
}

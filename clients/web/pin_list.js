// The pinned messages of a room, in a dialog behind a button of its head. Read when it is opened, and again when something of it changes.

import { isChange } from "./changes.js";
import { ListDialog } from "./list_dialog.js";
import { plain } from "./names.js";
import { el } from "./nodes.js";
import { patch, setText } from "./patch.js";
import { isPin } from "./pins.js";
import { gettext, locale, refusalText } from "./texts.js";
import { nameEl } from "./view.js";

/** The list of one room at a time. */
export class PinList extends ListDialog {
  #messages = null; // null: not known yet
  #hasMore = false;

  /**
   * `parts` are client, `mayPin(roomId)`, `pin(roomId, message, isWanted)`, `goTo(seq)` to go to a message, and
   * `opened(dialog)` to show one.
   */
  constructor(root, parts) {
    super(root, "pins-dialog", parts);
    this.at("pins").addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  forget() {
    this.#messages = null;
  }

  concerns(event) {
    return isPin(event) || isChange(event);
  }

  paint() {
    if (!this.dialog.open) return;
    const { mayPin } = this.parts;
    const messages = this.#messages ?? [];
    const canUnpin = mayPin(this.room);
    this.keepingFocus(() => patch(this.at("pins"), messages.map((message) => entryRow(message, canUnpin))), "button");
    const words = this.#wordsBelow();
    setText(this.at("no-pins"), words);
    this.at("no-pins").hidden = words === "";
  }

  #wordsBelow() {
    if (this.#messages === null) return gettext("Loading…");
    if (this.#messages.length === 0) return this.wrong.hidden ? gettext("No message is pinned.") : "";
    return this.#hasMore ? gettext("Messages that were pinned earlier are not shown.") : "";
  }

  load() {
    const take = ({ room_messages: messages, more }) => ([this.#messages, this.#hasMore] = [messages, Boolean(more)]);
    const failed = (error) => {
      this.#messages ??= [];
      return gettext("The messages could not be loaded: {reason}.", { reason: refusalText(null, error.message) });
    };
    return this.readInTurn(() => this.parts.client.request("list_pins", { room: this.room }), take, failed);
  }

  #clicked(button) {
    const message = this.#messages?.find(({ id }) => id === Number(button?.dataset.message));
    if (!message) return;
    if (button.dataset.unpins) return this.parts.pin(this.room, message, false);
    this.close();
    this.parts.goTo(message.seq);
  }
}

function entryRow({ id, user, text, timestamp_ms: time }, canUnpin) {
  const build = () => {
    const when = el("time", {}, new Date(time).toLocaleString(locale(), { dateStyle: "medium", timeStyle: "short" }));
    const button = el("button", { type: "button", className: "entry" }, el("span", { className: "who" }, nameEl(user.username), " ", when), el("bdi", { className: "words", dir: "auto" }));
    const label = gettext("Unpin the message of {name}", { name: plain(user.username) });
    const unpin = el("button", { type: "button", ariaLabel: label }, gettext("Unpin"));
    for (const one of [button, unpin]) one.dataset.message = id;
    unpin.dataset.unpins = "yes";
    return el("li", {}, button, unpin);
  };
  const update = (row) => {
    setText(row.querySelector(".words"), text);
    row.lastElementChild.hidden = !canUnpin;
  };
  return { key: String(id), build, update };
}

// The pinned messages of a room, in a dialog behind a button of its head. Read when it is opened, and again when something of it changes.

import { isChange } from "./changes.js";
import { plain } from "./names.js";
import { say } from "./notice.js";
import { patch, setText } from "./patch.js";
import { isPin } from "./pins.js";
import { gettext, locale, refusalText } from "./texts.js";
import { el, nameEl } from "./view.js";

/** The list of one room at a time. */
export class PinList {
  #root;
  #parts;
  #dialog;
  #room = null; // id
  #messages = null; // null: not known yet
  #hasMore = false;
  #turn = null; // the question whose answer counts

  /**
   * `parts` are client, `mayPin(roomId)`, `pin(roomId, message, isWanted)`, `goTo(seq)` which returns whether the message is
   * loaded, and `opened(dialog)` to show one.
   */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#dialog = this.#at("pins-dialog");
    this.#dialog.querySelector("[data-closes]").addEventListener("click", () => this.#dialog.close());
    this.#at("pins").addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  /** Show the pinned messages of a room. */
  open(roomId) {
    if (this.#room !== roomId) this.#messages = null;
    this.#room = roomId;
    this.#dialog.querySelector(".wrong").hidden = true;
    this.#parts.opened(this.#dialog);
    this.paint();
    this.#load();
  }

  close() {
    if (this.#dialog.open) this.#dialog.close();
  }

  /** Follow the next event of a room. */
  heard(roomId, event) {
    if (this.#dialog.open && roomId === this.#room && (isPin(event) || isChange(event))) this.#load();
  }

  paint() {
    if (!this.#dialog.open) return;
    const { mayPin } = this.#parts;
    const messages = this.#messages ?? [];
    const canUnpin = mayPin(this.#room);
    const { activeElement } = this.#root;
    patch(this.#at("pins"), messages.map((message) => entryRow(message, canUnpin)));
    if (activeElement && !activeElement.isConnected) this.#dialog.querySelector("button").focus();
    const words = this.#wordsBelow();
    setText(this.#at("no-pins"), words);
    this.#at("no-pins").hidden = words === "";
  }

  #wordsBelow() {
    if (this.#messages === null) return gettext("Loading…");
    if (this.#messages.length === 0) return this.#dialog.querySelector(".wrong").hidden ? gettext("No message is pinned.") : "";
    return this.#hasMore ? gettext("Messages that were pinned earlier are not shown.") : "";
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  async #load() {
    const turn = (this.#turn = {});
    const wrong = this.#dialog.querySelector(".wrong");
    try {
      const { room_messages: messages, more } = await this.#parts.client.request("list_pins", { room: this.#room });
      if (turn !== this.#turn) return;
      [this.#messages, this.#hasMore] = [messages, Boolean(more)];
      wrong.hidden = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#messages ??= [];
      setText(wrong, gettext("The messages could not be loaded: {reason}.", { reason: refusalText(null, error.message) }));
      wrong.hidden = false;
    }
    this.paint();
  }

  #clicked(button) {
    const message = this.#messages?.find(({ id }) => id === Number(button?.dataset.message));
    if (!message) return;
    if (button.dataset.unpins) return this.#parts.pin(this.#room, message, false);
    this.close();
    if (!this.#parts.goTo(message.seq)) say(gettext("This message is further up: load earlier messages to see it."));
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

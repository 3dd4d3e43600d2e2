// The field in which messages are written and edited: one draft a room, and a text that stays until it was taken.
//
// An edit has the field for a while; the draft waits, and is there again after it.

import { copyText } from "./clipboard.js";
import { awaitEmoji, lacksEmoji, withEmoji } from "./emoji.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { gettext, locale } from "./texts.js";
import { isTouched } from "./touch.js";

const MAX_TEXT = 4_000; // code points, the server's limit

/** Writes into the drafts. */
export class Composer {
  #root;
  #drafts;
  #does;
  #room = null; // {id, name}

  /**
   * `hasFiles(roomId)`: whether a message of it may be without a text. `typing(roomId)` hears of each stroke of a new text. `send(roomId, text)` and `save(roomId, messageId, text)` throw a sentence when they do not take a text;
   * `chooseEmoji(button, chosen)` has the user choose one; `editLast()` begins with the last message and returns whether there is one; `changed()` asks for a paint.
   */
  constructor(root, drafts, does) {
    this.#root = root;
    this.#drafts = drafts;
    this.#does = does;
    this.#at("text").addEventListener("input", () => this.#typed());
    this.#at("composer").addEventListener("keydown", (key) => this.#pressed(key));
    this.#at("composer").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#submit();
    });
    this.#at("cancel-edit").addEventListener("click", () => this.#endEdit());
    this.#at("emoji").addEventListener("click", () => this.#does.chooseEmoji(this.#at("emoji"), (emoji) => this.#insert(emoji)));
    this.#at("copy").addEventListener("click", () => copyText(this.#at("text").value));
  }

  /** Show the draft or the edit of a room, or nothing; `closed` is a sentence where nothing may be sent any more. */
  show(room, closed = "") {
    const isOther = room?.id !== this.#room?.id;
    this.#room = room;
    if (isOther) this.#fill();
    const isEdit = Boolean(this.#edit);
    this.#at("editing").hidden = !isEdit;
    setText(this.#at("send"), isEdit ? gettext("Save") : gettext("Send"));
    this.#at("text").ariaLabel = isEdit ? gettext("Edit message") : gettext("Message");
    for (const id of ["text", "emoji", "send"]) this.#at(id).disabled = room === null;
    this.#at("text").readOnly = this.#at("emoji").hidden = this.#at("send").hidden = closed !== "";
    this.#at("copy").hidden = closed === "" || this.#at("text").value === "";
    if (closed) this.#say("");
    setText(this.#at("closed"), closed);
    this.#at("closed").hidden = closed === "";
  }

  /** Edit a message of the room that is shown; another edit that was begun comes first. */
  edit(roomId, { id, text }) {
    const edit = this.#edit;
    if (this.#room?.id !== roomId || this.#at("text").readOnly) return;
    if (edit && edit.id !== id && edit.text !== edit.before) say(gettext("Save or cancel first what you edit already."));
    else if (edit?.id !== id) {
      this.#drafts.setEdit(roomId, { id, before: text, text });
      this.#fill();
    }
    this.focus();
    this.#at("text").setSelectionRange(text.length, text.length);
  }

  /** Whether this message of a room is edited here. */
  isEditing(roomId, { id }) {
    return this.#drafts.edit(roomId)?.id === id;
  }

  focus() {
    this.#at("text").focus({ preventScroll: true });
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  /** {id: the message's, before, text}, or null. */
  get #edit() {
    return this.#room && this.#drafts.edit(this.#room.id);
  }

  #fill() {
    this.#at("text").value = this.#room ? (this.#edit?.text ?? this.#drafts.get(this.#room.id)) : "";
    this.#say(tooLong(this.#at("text").value));
  }

  #pressed(key) {
    if (key.isComposing || key.shiftKey) return;
    const isInText = key.target === this.#at("text");
    const isEmpty = isInText && !this.#edit && key.target.value === "";
    if (key.key === "Enter" && isInText && isTouched()) return; // a newline: what sends is a button, right beside the keys
    if (key.key === "Enter" && isInText) this.#submit();
    else if (key.key === "Escape" && this.#edit) this.#endEdit();
    else if (key.key !== "ArrowUp" || !isEmpty || !this.#does.editLast()) return;
    key.preventDefault();
  }

  #typed() {
    const { value } = this.#at("text");
    if (this.#edit) this.#drafts.setEdit(this.#room.id, { ...this.#edit, text: value });
    else {
      this.#drafts.set(this.#room.id, this.#room.name, value);
      if (value.trim()) this.#does.typing(this.#room.id);
    }
    this.#say(tooLong(value));
  }

  #insert(text) {
    const field = this.#at("text");
    field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
    this.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Submit once emoji can be written in place of their names, unless something else is in the field by then. */
  async #submitSoon(room, text) {
    await awaitEmoji();
    if (this.#room?.id === room && this.#at("text").value === text) this.#submit(false);
  }

  #submit(mayWait = true) {
    const text = this.#at("text").value;
    const edit = this.#edit;
    if (this.#at("text").readOnly || !this.#room) return;
    if (edit && text === edit.before) return this.#endEdit();
    const isBare = !text.trim(); // files may say it all
    if (isBare && (edit || !this.#does.hasFiles(this.#room.id))) return edit && this.#say(gettext("A message can't be empty. You can delete it instead."));
    const problem = tooLong(text);
    if (problem) return this.#say(problem);
    if (mayWait && lacksEmoji(text)) return this.#submitSoon(this.#room.id, text);
    const sendable = isBare ? "" : withEmoji(text.toWellFormed().replaceAll("\0", "")); // neither half a character nor NUL can travel
    try {
      if (edit) this.#does.save(this.#room.id, edit.id, sendable);
      else this.#does.send(this.#room.id, sendable);
    } catch (error) {
      return this.#say(error.message);
    }
    if (edit) return this.#endEdit();
    this.#at("text").value = "";
    this.#typed();
  }

  #endEdit() {
    this.#drafts.setEdit(this.#room.id, null);
    this.#fill();
    this.focus();
    this.#does.changed();
  }

  #say(problem) {
    this.#at("text-error").textContent = problem;
    this.#at("text-error").hidden = problem === "";
  }
}

function tooLong(text) {
  const { length } = [...text];
  if (length <= MAX_TEXT) return "";
  const [most, own] = [MAX_TEXT, length].map((number) => number.toLocaleString(locale()));
  return gettext("A message has at most {most} characters; this one has {own}. Shorten it, or send it in parts.", { most, own });
}

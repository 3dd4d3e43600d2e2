// The strip above the composer that says what the next message replies to; kept with the room's draft.
//
// It names the message as it is now. During an edit it waits, as the draft does.

import { plain } from "./names.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { quoteOf } from "./quotes.js";
import { gettext } from "./texts.js";

/** One reply a room at a time. */
export class Reply {
  #root;
  #drafts;
  #parts;
  #room = null; // {id, name}

  /** `parts` are timeline, `focus()` to go to the field, and `changed()`, which asks for a paint. */
  constructor(root, drafts, parts) {
    this.#root = root;
    this.#drafts = drafts;
    this.#parts = parts;
    this.#at("cancel-reply").addEventListener("click", () => this.#cancel());
    this.#at("composer").addEventListener("keydown", (key) => {
      const isShown = !this.#at("replying").hidden; // not during an edit, which Escape ends first
      if (key.key !== "Escape" || key.isComposing || !isShown) return;
      key.preventDefault();
      this.#cancel();
    });
  }

  /** Return the id of the message that the draft of a room replies to, or null. */
  of(roomId) {
    return roomId && this.#drafts.reply(roomId);
  }

  /** Have the next message of a room reply to this one. */
  begin(room, { id }) {
    if (this.#drafts.edit(room.id)) say(gettext("Save or cancel first what you edit already."));
    else this.#drafts.setReply(room.id, room.name, id);
    this.#parts.focus();
    this.#parts.changed();
  }

  /** Have the next message of a room reply to nothing. */
  end({ id, name }) {
    if (this.of(id)) this.#drafts.setReply(id, name, null);
  }

  /** Show the strip of a room, or none; `closed` is a sentence where nothing may be sent. */
  show(room, closed) {
    this.#room = room;
    const id = this.of(room?.id ?? null);
    const isShown = Boolean(id) && closed === "" && !this.#drafts.edit(room.id);
    this.#at("replying").hidden = !isShown;
    setText(this.#at("reply-words"), isShown ? wordsOf(this.#parts.timeline.find(room.id, id)) : "");
  }

  #cancel() {
    this.end(this.#room);
    this.#parts.focus();
    this.#parts.changed();
  }

  #at(id) {
    return this.#root.getElementById(id);
  }
}

function wordsOf(message) {
  const { name, text } = quoteOf(message);
  if (!name) return gettext("You reply to an earlier message.");
  return gettext("You reply to {name}: {text}", { name: plain(name), text: plain(text) });
}

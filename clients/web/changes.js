// Edits, deletions, reactions and pins: what each leaves of its message, and what was heard that an answer can't know yet.
//
// An answer of `get_history` shows its messages as they were when it was read, its `seq`. Pure data.

import { isPin } from "./pins.js";
import { isReaction, lineOf, reacted } from "./reactions.js";

const MAX_REMEMBERED = 500; // changed messages of one room, as many reactions and pins: an answer is seldom older than a few seconds

/** Whether an event or a command edits or deletes a message. */
export function isChange({ action }) {
  return action === "edit_message" || action === "delete_message";
}

/**
 * Return a message after such an event, or after a reaction or a pin; `asOf`, where it has one, is up to which event it is
 * known. `userId` says whose reactions are `mine`.
 */
export function changed(message, event, userId) {
  const { seq, text, mentions = [], mentions_room, edited_at } = event;
  const isReacting = isReaction(event);
  if (message.deleted || seq <= ((isReacting ? message.reacted_seq : message.asOf) ?? 0)) return message;
  if (isReacting) return { ...message, reactions: reacted(message.reactions, event, userId), reacted_seq: seq };
  if (isPin(event)) return { ...message, pinned: event.pinned_at ?? null };
  return deletes(event) ? { ...message, text: "", mentions: [], mentions_room: false, attachments: [], deleted: true, reactions: [], pinned: null } : { ...message, text, mentions, mentions_room, edited_at };
}

/** An edit without a text says that the message was deleted later, or erased, of which no event tells. */
function deletes({ action, text }) {
  return action === "delete_message" || text === "";
}

/** The changes of one room's messages that were heard. */
export class Changes {
  #userId;
  #heard = new Map(); // seq of a message → the last event that edited or deleted it; those changed last at the end
  #pins = new Map(); // seq of a message → the last event of its pin
  #reactions = []; // events, the last one at the end
  #forgotten = 0; // seq of the last event that is no longer among them

  constructor(userId) {
    this.#userId = userId;
  }

  heard(event) {
    if (isReaction(event)) this.#reactions.push(event);
    else this.#keep(isPin(event) ? this.#pins : this.#heard, event);
    if (this.#reactions.length > MAX_REMEMBERED) this.#forget(this.#reactions.shift());
  }

  #keep(heard, event) {
    const { seq } = event.message;
    if (heard.has(seq) && deletes(heard.get(seq))) return;
    heard.delete(seq);
    heard.set(seq, event);
    if (heard.size <= MAX_REMEMBERED) return;
    const [[oldest, forgotten]] = heard;
    heard.delete(oldest);
    this.#forget(forgotten);
  }

  #forget({ seq }) {
    this.#forgotten = Math.max(this.#forgotten, seq);
  }

  /** Return the messages of an answer that was read at `asOf`, with what was heard later; null: that is forgotten, ask again. */
  caughtUp(messages, asOf) {
    if (asOf < this.#forgotten) return null;
    const reactions = Map.groupBy(this.#reactions, ({ message }) => message.seq);
    return messages.map((message) => {
      const last = [this.#pins, this.#heard].map((heard) => heard.get(message.seq)).filter(Boolean);
      const events = [...(reactions.get(message.seq) ?? []), ...last];
      return events.reduce((known, event) => changed(known, event, this.#userId), { ...lineOf(message), asOf });
    });
  }
}

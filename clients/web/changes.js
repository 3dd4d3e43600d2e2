// Edits, deletions and reactions: what each leaves of its message, and what was heard that an answer can't know yet.
//
// An answer of `get_history` shows its messages as they were when it was read, its `seq`. Pure data.

import { isReaction, lineOf, reacted } from "./reactions.js";

const MAX_REMEMBERED = 500; // changed messages of one room, and as many reactions: an answer is seldom older than a few seconds

/** Whether an event or a command edits or deletes a message. */
export function isChange({ action }) {
  return action === "edit_message" || action === "delete_message";
}

/**
 * Return a message after such an event, or after a reaction; `asOf`, where it has one, is up to which event it is
 * known. `userId` says whose reactions are `mine`.
 */
export function changed(message, event, userId) {
  const { seq, text, edited_at } = event;
  const isReacting = isReaction(event);
  if (message.deleted || seq <= ((isReacting ? message.reacted_seq : message.asOf) ?? 0)) return message;
  if (isReacting) return { ...message, reactions: reacted(message.reactions, event, userId), reacted_seq: seq };
  return deletes(event) ? { ...message, text: "", deleted: true, reactions: [] } : { ...message, text, edited_at };
}

/** An edit without a text says that the message was deleted later, or erased, of which no event tells. */
function deletes({ action, text }) {
  return action === "delete_message" || text === "";
}

/** The changes of one room's messages that were heard. */
export class Changes {
  #userId;
  #heard = new Map(); // seq of a message → the last event that edited or deleted it; those changed last at the end
  #reactions = []; // events, the last one at the end
  #forgotten = 0; // seq of the last event that is no longer among them

  constructor(userId) {
    this.#userId = userId;
  }

  heard(event) {
    if (isReaction(event)) this.#reactions.push(event);
    else this.#changed(event);
    if (this.#reactions.length > MAX_REMEMBERED) this.#forget(this.#reactions.shift());
  }

  #changed(event) {
    const { seq } = event.message;
    if (this.#heard.has(seq) && deletes(this.#heard.get(seq))) return;
    this.#heard.delete(seq);
    this.#heard.set(seq, event);
    if (this.#heard.size <= MAX_REMEMBERED) return;
    const [[oldest, forgotten]] = this.#heard;
    this.#heard.delete(oldest);
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
      const change = this.#heard.get(message.seq);
      const events = [...(reactions.get(message.seq) ?? []), ...(change ? [change] : [])];
      return events.reduce((known, event) => changed(known, event, this.#userId), { ...lineOf(message), asOf });
    });
  }
}

// Edits and deletions of messages: what each leaves of its message, and what was heard that an answer can't know yet.
//
// An answer of `get_history` shows its messages as they were when it was read, its `seq`. Pure data.

const MAX_REMEMBERED = 500; // changed messages of one room: an answer is seldom older than a few seconds

/** Whether an event or a command changes a message that is in the log already. */
export function isChange({ action }) {
  return action === "edit_message" || action === "delete_message";
}

/** Return a message after such an event; `asOf`, where it has one, is up to which event it is known. */
export function changed(message, event) {
  const { seq, text, edited_at } = event;
  if (message.deleted || seq <= (message.asOf ?? 0)) return message;
  return deletes(event) ? { ...message, text: "", deleted: true } : { ...message, text, edited_at };
}

/** An edit without a text says that the message was deleted later, or erased, of which no event tells. */
function deletes({ action, text }) {
  return action === "delete_message" || text === "";
}

/** The changes of one room's messages that were heard. */
export class Changes {
  #heard = new Map(); // seq of a message → the last event that changed it; those changed last at the end
  #forgotten = 0; // seq of the last event that is no longer among them

  heard(event) {
    const { seq } = event.message;
    if (this.#heard.has(seq) && deletes(this.#heard.get(seq))) return;
    this.#heard.delete(seq);
    this.#heard.set(seq, event);
    if (this.#heard.size <= MAX_REMEMBERED) return;
    const [[oldest, { seq: forgotten }]] = this.#heard;
    this.#heard.delete(oldest);
    this.#forgotten = forgotten;
  }

  /** Return the messages of an answer that was read at `asOf`, with what was heard later; null: that is forgotten, ask again. */
  caughtUp(messages, asOf) {
    if (asOf < this.#forgotten) return null;
    return messages.map((message) => {
      const event = this.#heard.get(message.seq);
      return event ? changed({ ...message, asOf }, event) : { ...message, asOf };
    });
  }
}

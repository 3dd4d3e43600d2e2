// How many unread messages mention the user, by room. The server's count, and what was heard since.
//
// Whether an edit or a deletion changes that count, only the server can say: it is asked.

const MAX_COUNTED = 100; // the list shows 99+

/** Whether a message mentions the user: by name, or, if it is another's, with the whole room. */
export function isMeant(userId, { user, mentions = [], mentions_room: isForAll = false, deleted }) {
  return !deleted && (mentions.includes(userId) || (isForAll && user.id !== userId));
}

/** One user's counts. */
export class UnreadMentions {
  #userId;
  #ask;
  #rooms = new Map(); // room id → {epoch, upTo, base: what the server counted up to upTo, seqs: those that were heard since}

  /** `ask(roomId)` asks the server for the room's summary, which is then `told`. */
  constructor(userId, ask) {
    this.#userId = userId;
    this.#ask = ask;
  }

  /** Take what the server says of a room: what is unread up to `seq`. */
  told({ id, epoch, seq, unread_mentions: base = 0 }) {
    const known = this.#rooms.get(id);
    const seqs = known?.epoch === epoch ? known.seqs.filter((heard) => heard > seq) : [];
    this.#rooms.set(id, { epoch, upTo: seq, base, seqs });
  }

  /** Count the next event of a room; `mark` is the seq up to which it was read. */
  arrived(roomId, { epoch, seq, action, message, mentions, mentions_room: isForAll }, mark) {
    const room = this.#rooms.get(roomId);
    if (!room || room.epoch !== epoch || seq <= room.upTo) return;
    if (action === "new_message" && message.user.id !== this.#userId && isMeant(this.#userId, message)) room.seqs = [...room.seqs, seq].slice(-MAX_COUNTED);
    const isChange = action === "delete_message" || action === "edit_message";
    if (!isChange || message.user === this.#userId || message.seq <= mark) return;
    if (isForAll || mentions?.includes(this.#userId) || this.count(roomId, mark) > 0) this.#ask(roomId);
  }

  /** Return how many are unread where all up to `mark` was read. */
  count(roomId, mark) {
    const room = this.#rooms.get(roomId);
    if (!room) return 0;
    const base = mark < room.upTo ? room.base : 0;
    return Math.min(MAX_COUNTED, base + room.seqs.filter((seq) => seq > mark).length);
  }
}

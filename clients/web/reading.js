// How far each room was read, and how many messages of others are behind that; the same in all tabs of a browser.
//
// Only what was really seen counts as read: the page says so with `saw`. One's own messages and notes are never
// unread. It counts what it heard; before that it believes the server's count.

const MAX_COUNTED = 100; // the list shows 99+

/** One user's read marks. */
export class Reading {
  #memory;
  #userId;
  #rooms = new Map(); // room id → {epoch, seq: the last one read, upTo: counted so far,
  // told: the server's last count, base: how many of that are unread, seqs: those that were heard}

  constructor(memory, userId, changed) {
    this.#memory = memory;
    this.#userId = userId;
    memory.watch("read", (roomId, mark) => {
      if (mark && this.#advance(roomId, mark.epoch, mark.seq)) changed();
    });
  }

  /** Take a room's summary: new, or come back to after a lost connection. */
  met({ id, epoch, seq, read_seq: readSeq = 0, unread }) {
    const known = this.#rooms.get(id);
    if (known?.epoch === epoch) {
      known.base += Math.max(0, Math.min(seq - known.upTo, unread - known.told));
      return void Object.assign(known, { upTo: Math.max(known.upTo, seq), told: unread });
    }
    const saved = this.#memory.get("read", id);
    const read = Math.min(seq, saved?.epoch === epoch ? Math.max(saved.seq, readSeq) : readSeq);
    this.#rooms.set(id, { epoch, seq: read, upTo: seq, told: unread, base: Math.min(unread, seq - read), seqs: [] });
  }

  /** Count exactly what a room's snapshot shows, where it reaches back to the mark. */
  loaded(summary, messages, isWhole) {
    const { id, seq } = summary;
    this.met(summary);
    const room = this.#rooms.get(id);
    if (!isWhole && !(messages[0]?.seq <= room.seq + 1)) return;
    const seqs = messages.filter((message) => this.#isOthers(message)).map((message) => message.seq);
    Object.assign(room, { upTo: seq, base: 0, seqs: seqs.filter((other) => other > room.seq).slice(-MAX_COUNTED) });
  }

  /** Count the next event of a room. */
  arrived(roomId, { epoch, seq, message }) {
    const room = this.#rooms.get(roomId);
    if (!room || room.epoch !== epoch || seq <= room.upTo) return;
    room.upTo = seq;
    if (message && this.#isOthers(message)) room.seqs = [...room.seqs, seq].slice(-MAX_COUNTED);
    else if (!this.unread(roomId)) this.saw(roomId, epoch, seq);
  }

  /** Everything up to `seq` was on the screen; return whether that is news. */
  saw(roomId, epoch, seq) {
    const isNews = this.#advance(roomId, epoch, seq);
    if (isNews) this.#memory.set("read", roomId, { epoch, seq });
    return isNews;
  }

  unread(roomId) {
    const { base, seqs } = this.#rooms.get(roomId) ?? { base: 0, seqs: [] };
    return base + seqs.length;
  }

  /** Return the seq of the last event that was read. */
  mark(roomId) {
    return this.#rooms.get(roomId)?.seq ?? 0;
  }

  #advance(roomId, epoch, seq) {
    const room = this.#rooms.get(roomId);
    if (!room || room.epoch !== epoch || seq <= room.seq) return false;
    room.seq = seq;
    room.seqs = room.seqs.filter((other) => other > seq);
    const firstHeard = room.seqs[0] ?? room.upTo + 1;
    room.base = Math.min(room.base, Math.max(0, firstHeard - 1 - seq));
    return true;
  }

  #isOthers({ user, deleted }) {
    return user.id !== this.#userId && !deleted;
  }
}

// How far each room was read, and how many messages of others are behind that; the same on all devices of a user.
//
// Only what was really seen counts as read: the page says so with `saw`, and the server is told. One's own messages and
// notes are never unread, nor what was deleted. It counts what it heard; for earlier messages it trusts the server's count. What is seen
// without a connection is kept in the browser until the server has it.

const MAX_COUNTED = 100; // the list shows 99+

/** One user's read marks. */
export class Reading {
  #memory;
  #userId;
  #read;
  #rooms = new Map(); // room id → {epoch, seq: the last one read, upTo: counted so far,
  // base: how many of what the server counted up to baseUpTo are unread, seqs: those that were heard,
  // gone: deletions that were heard, [seq, seq of the message]}

  /** `changed()` is called for what another tab has read, `read(roomId, seq)` for what the server is to hear. */
  constructor(memory, userId, { changed, read }) {
    this.#memory = memory;
    this.#userId = userId;
    this.#read = read;
    memory.watch("read", (roomId, mark) => {
      if (mark && this.#advance(roomId, mark.epoch, mark.seq)) changed();
    });
  }

  /** Take what the server says of a room: the mark on all devices, and what is unread above it up to `seq`. */
  told({ id, epoch, seq, read_seq: readSeq = 0, unread }) {
    if (this.#rooms.get(id)?.epoch !== epoch) this.#begin(id, epoch, seq);
    const room = this.#rooms.get(id);
    if (readSeq >= room.seq) {
      room.seq = readSeq;
      room.gone = room.gone.filter(([heard]) => heard > seq);
      const gone = unread < MAX_COUNTED ? room.gone.filter(([, message]) => message > readSeq && message <= seq).length : 0;
      Object.assign(room, { base: Math.max(0, unread - gone), baseUpTo: seq });
      room.seqs = room.seqs.filter((heard) => heard > Math.max(seq, readSeq));
    } else if (seq > room.upTo) {
      room.base += Math.min(unread, seq - Math.max(room.seq, room.upTo));
      room.baseUpTo = seq;
      this.#read(id, room.seq); // seen here while the server could not hear of it
    }
    room.upTo = Math.max(room.upTo, seq);
  }

  /** Count exactly what a room's snapshot shows, where it reaches back to the mark. */
  loaded(summary, messages, isWhole) {
    const { id, epoch, seq } = summary;
    if (this.#rooms.get(id)?.epoch !== epoch) this.told(summary);
    const room = this.#rooms.get(id);
    if (!isWhole && !(messages[0]?.seq <= room.seq + 1)) return;
    const seqs = messages.filter((message) => this.#isOthers(message)).map((message) => message.seq);
    Object.assign(room, { upTo: seq, base: 0, baseUpTo: seq, gone: [], seqs: seqs.filter((other) => other > room.seq).slice(-MAX_COUNTED) });
  }

  /** Count the next event of a room. */
  arrived(roomId, event) {
    const { epoch, seq, action, message } = event;
    const room = this.#rooms.get(roomId);
    if (!room || room.epoch !== epoch || seq <= room.upTo) return;
    room.upTo = seq;
    if (action === "delete_message") this.#uncount(room, seq, message);
    if (action === "new_message" && this.#isOthers(message)) room.seqs = [...room.seqs, seq].slice(-MAX_COUNTED);
    else if (!this.unread(roomId)) this.#keep(roomId, epoch, seq);
  }

  /** Everything up to `seq` was on the screen; return whether that is news. */
  saw(roomId, epoch, seq) {
    const isNews = this.#keep(roomId, epoch, seq);
    if (isNews) this.#read(roomId, seq);
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

  #begin(id, epoch, seq) {
    const saved = this.#memory.get("read", id);
    const read = saved?.epoch === epoch ? Math.min(seq, saved.seq) : 0;
    this.#rooms.set(id, { epoch, seq: read, upTo: 0, base: 0, baseUpTo: 0, seqs: [], gone: [] });
  }

  #keep(roomId, epoch, seq) {
    const isNews = this.#advance(roomId, epoch, seq);
    if (isNews) this.#memory.set("read", roomId, { epoch, seq });
    return isNews;
  }

  #advance(roomId, epoch, seq) {
    const room = this.#rooms.get(roomId);
    if (!room || room.epoch !== epoch || seq <= room.seq) return false;
    room.seq = seq;
    room.seqs = room.seqs.filter((other) => other > seq);
    room.base = Math.min(room.base, Math.max(0, room.baseUpTo - seq));
    return true;
  }

  /** A message is gone before it was read: it is not unread any more, unless there are too many to be counted. */
  #uncount(room, heard, { seq, user }) {
    if (user === this.#userId || seq <= room.seq) return;
    room.gone = [...room.gone, [heard, seq]].slice(-MAX_COUNTED);
    if (room.base + room.seqs.length >= MAX_COUNTED) return;
    if (seq <= room.baseUpTo) room.base = Math.max(0, room.base - 1);
    else room.seqs = room.seqs.filter((other) => other !== seq);
  }

  #isOthers({ user, deleted }) {
    return user.id !== this.#userId && !deleted;
  }
}

// How far the members of watched rooms have read, as the server said last. No I/O: the client hears and asks.

/** The marks of one client's rooms; after a disconnect nothing is known. */
export class Receipts {
  #rooms = new Map(); // room id → {epoch, marks: Map of user id → seq}

  /** Take what the server says; a mark never moves back. */
  hear({ room, epoch, whole, marks }) {
    const known = this.#rooms.get(room);
    const told = known && !whole && known.epoch === epoch ? known.marks : new Map();
    for (const { user, seq } of marks) told.set(user, Math.max(seq, told.get(user) ?? 0));
    this.#rooms.set(room, { epoch, marks: told });
  }

  /** Somebody's membership ended; a mark beyond that is of one who has come back, which the server knew before us. */
  left(room, { epoch, seq, member }) {
    const known = this.#rooms.get(room);
    if (known?.epoch === epoch && known.marks.get(member.id) <= seq) known.marks.delete(member.id);
  }

  /** Return how far each member of a room has read, by the user's id. */
  of(room) {
    return new Map(this.#rooms.get(room)?.marks);
  }

  forget(room) {
    this.#rooms.delete(room);
  }

  disconnected() {
    this.#rooms.clear();
  }
}

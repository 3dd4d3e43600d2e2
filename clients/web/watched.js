// Which rooms the user looks at, and when the server is to be told. No I/O: the client sends.

/** The watched rooms of one client, over all its connections. */
export class Watched {
  #rooms = [];
  #dueAt = null; // null: the server knows

  want(rooms) {
    if (String(rooms) === String(this.#rooms)) return;
    this.#rooms = [...rooms];
    this.#dueAt = 0;
  }

  /** There is a new connection, which knows nothing. */
  begin() {
    this.#dueAt = this.#rooms.length ? 0 : null;
  }

  /** The user is in a room again: watching it ended when they left. */
  joined(room) {
    if (this.#rooms.includes(room)) this.#dueAt = 0;
  }

  refused(retryAt) {
    this.#dueAt = retryAt;
  }

  isDue(now) {
    return this.#dueAt !== null && now >= this.#dueAt;
  }

  /** Return what the server is told: those of the rooms that are the user's. */
  take(rooms) {
    this.#dueAt = null;
    return this.#rooms.filter((room) => rooms.has(room));
  }
}

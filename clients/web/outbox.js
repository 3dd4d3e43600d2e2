// Commands that wait for their answers: oldest first, one at a time for a room, kept over a reload.
//
// Where a message starts. The same command may be sent often: its uuid makes it one event. No I/O but the
// storage; the client says what time it is and does the sending.

export const MAX_COMMANDS = 100; // more than anybody types in an outage
const ANSWER_MS = 15_000; // then the answer is unknown and the command is repeated
const REPEAT_MS = 7 * 24 * 3_600_000; // no log is kept for less; a later repeat could be stored a second time

/** The commands of one user that are not answered yet. */
export class Outbox {
  /** {uuid, action, room?, …}, oldest first. */
  commands = [];
  #storage;
  #prefix;
  #addedAt = new Map(); // uuid → when, a place in the order
  #youngest; // the last of these
  #sentAt = new Map(); // uuid → when, of those in flight
  #notBefore = new Map(); // uuid → when it may be repeated

  /** `storage` is localStorage, or null to keep nothing; `prefix` must name the user. */
  constructor(storage, prefix) {
    this.#storage = storage;
    this.#prefix = prefix;
    const saved = this.#load();
    this.#youngest = saved.at(-1)?.at ?? 0;
    this.commands = saved.map(({ command }) => command);
    for (const { at, command } of saved) this.#addedAt.set(command.uuid, at);
  }

  get isFull() {
    return this.commands.length >= MAX_COMMANDS;
  }

  find(uuid) {
    return this.commands.find((command) => command.uuid === uuid);
  }

  /** Return when a command was made, in milliseconds since 1970. */
  madeAt({ uuid }) {
    return this.#addedAt.get(uuid);
  }

  add(command) {
    this.commands.push(command);
    this.#youngest = Math.max(Date.now(), this.#youngest + 1); // in order, though the clock be set back
    this.#addedAt.set(command.uuid, this.#youngest);
    try {
      this.#storage?.setItem(this.#prefix + command.uuid, JSON.stringify({ at: this.#youngest, command }));
    } catch {
      // A full or forbidden storage: the command is still in memory.
    }
  }

  remove(command) {
    this.commands = this.commands.filter((waiting) => waiting !== command);
    for (const times of [this.#addedAt, this.#sentAt, this.#notBefore]) times.delete(command.uuid);
    this.#storage?.removeItem(this.#prefix + command.uuid);
  }

  /** Those that may not be repeated any more. */
  get outdated() {
    return this.commands.filter(({ uuid }) => this.#addedAt.get(uuid) < Date.now() - REPEAT_MS);
  }

  /** Return what is to be sent now and count it as sent: of each room the oldest, unless it is in flight. */
  take(now) {
    const seen = new Set();
    const due = [];
    for (const command of this.commands) {
      const place = command.room ?? command.uuid;
      const waits = this.#sentAt.has(command.uuid) || now < (this.#notBefore.get(command.uuid) ?? 0);
      if (!waits && !seen.has(place)) due.push(command);
      seen.add(place);
    }
    for (const { uuid } of due) this.#sentAt.set(uuid, now);
    return due;
  }

  /** The server did not accept it just now; repeat it later, before all that is younger. */
  refused(command, notBefore) {
    this.#sentAt.delete(command.uuid);
    this.#notBefore.set(command.uuid, notBefore);
  }

  /** Repeat what has not been answered for too long. */
  expire(now) {
    for (const [uuid, sentAt] of this.#sentAt) if (now - sentAt > ANSWER_MS) this.#sentAt.delete(uuid);
  }

  /** Nothing is in flight any more: the next connection repeats everything. */
  disconnected() {
    this.#sentAt.clear();
    this.#notBefore.clear();
  }

  // One key a command: two tabs of a user must not overwrite each other's.
  #load() {
    const keys = Array.from({ length: this.#storage?.length ?? 0 }, (_, place) => this.#storage.key(place));
    const saved = keys.filter((key) => key.startsWith(this.#prefix)).map((key) => parse(this.#storage.getItem(key)));
    const whole = saved.filter((entry) => entry?.command?.uuid).sort((one, other) => one.at - other.at);
    return whole.slice(0, MAX_COMMANDS);
  }
}

/** Return 32 random hex digits; crypto.randomUUID is there on https pages only. */
export function newUuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not written by this code
  }
}

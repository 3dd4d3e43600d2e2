// Messages that the server refused: their texts stay until they are sent again, or discarded by their author.

/** One user's failed messages, the same in all tabs. */
export class Failed {
  #entries = new Map(); // uuid → {command, message, name, at}
  #memory;

  constructor(memory, changed) {
    this.#memory = memory;
    this.#entries = new Map(memory.entries("failed").sort(([, one], [, other]) => one.at - other.at));
    memory.watch("failed", (uuid, entry) => {
      if (entry) this.#entries.set(uuid, entry);
      else this.#entries.delete(uuid);
      changed();
    });
  }

  get size() {
    return this.#entries.size;
  }

  /** `message` says why; `name` is the room's, which may be gone when it is wanted. */
  add(entry) {
    entry.at ??= Date.now(); // for the order of the next page
    this.#entries.set(entry.command.uuid, entry);
    this.#memory.set("failed", entry.command.uuid, entry);
  }

  remove({ command: { uuid } }) {
    this.#entries.delete(uuid);
    this.#memory.remove("failed", uuid);
  }

  of(roomId) {
    return [...this.#entries.values()].filter(({ command }) => command.room === roomId);
  }

  /** Return [room id, name] of each room with a failed message. */
  rooms() {
    return [...this.#entries.values()].map(({ command, name }) => [command.room, name]);
  }
}

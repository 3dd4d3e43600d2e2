// Who of the rooms on the screen is connected, as the server said last. Kept nowhere else.

import { gettext } from "./texts.js";

/** What is known of watched rooms; after a disconnect nothing is. */
export class Attendance {
  #rooms = new Map(); // room id → {users, count}; users is null where they are many

  heard(room, users, count) {
    this.#rooms.set(room, { users: users && new Set(users), count });
  }

  /** Nothing is known any more but of these rooms. */
  keep(rooms) {
    for (const room of this.#rooms.keys()) if (!rooms.includes(room)) this.#rooms.delete(room);
  }

  /** Tell whether somebody is known to be connected. */
  has(room, userId) {
    return this.#rooms.get(room)?.users?.has(userId) ?? false;
  }

  /** Return the words for a room's head: whether the other of a direct room is there, or how many are; "" if unknown. */
  sentence({ id, kind }, userId) {
    const known = this.#rooms.get(id);
    if (!known) return "";
    if (kind !== "direct") return gettext("{number} online", { number: known.count });
    return [...(known.users ?? [])].some((user) => user !== userId) ? gettext("online") : "";
  }
}

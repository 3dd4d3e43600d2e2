// Who of the others is typing, for the line below the messages. Kept nowhere else.

import { now } from "./clock.js";
import { plain } from "./names.js";
import { gettext } from "./texts.js";

const SHOWN_MS = 5_000; // without a repeat

/** The others who type, by room; `changed` is called when somebody has not for a while. */
export class Typists {
  #changed;
  #rooms = new Map(); // room id → Map of user id → {name, until}
  #timer = null;

  constructor(changed) {
    this.#changed = changed;
  }

  heard(room, users) {
    const known = this.#rooms.get(room) ?? new Map();
    for (const { id, username } of users) known.set(id, { name: username, until: now() + SHOWN_MS });
    this.#rooms.set(room, known);
    this.#timer ??= setTimeout(() => this.#look(), SHOWN_MS);
  }

  /** Somebody has written: they type no more, until they do. */
  wrote(room, user) {
    this.#rooms.get(room)?.delete(user);
  }

  /** Return the sentence for a room, or nothing. */
  sentence(room) {
    const names = [...(this.#rooms.get(room)?.values() ?? [])].map(({ name }) => plain(name));
    if (names.length > 2) return gettext("Several people are typing…");
    if (names.length === 2) return gettext("{who} and {whom} are typing…", { who: names[0], whom: names[1] });
    return names.length ? gettext("{who} is typing…", { who: names[0] }) : "";
  }

  #look() {
    const untils = [];
    for (const [room, known] of this.#rooms) {
      for (const [user, { until }] of known) now() >= until ? known.delete(user) : untils.push(until);
      if (!known.size) this.#rooms.delete(room);
    }
    this.#timer = untils.length ? setTimeout(() => this.#look(), Math.min(...untils) - now()) : null;
    this.#changed();
  }
}

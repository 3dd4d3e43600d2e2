// Rooms that one is no longer in, but looks at, or has written something for: they stay until that is done.

import { plain } from "./names.js";
import { gettext, gettext_noop } from "./texts.js";

const GONE = gettext_noop("You are no longer a member of this room.");

/** Compares each list of rooms with the one before. */
export class LeftRooms {
  #listed = new Map(); // room id → {id, name, kind} of the last list
  #left = new Map(); // room id → {id, name, kind, isLeft, sentence}

  /** Take a new list; `lastNote(id)` is the last event that was seen of a room, which may tell why it is gone. */
  compare(rooms, lastNote, userId) {
    for (const [id, room] of this.#listed) {
      if (!rooms.has(id)) this.#left.set(id, { ...room, isLeft: true, sentence: sentenceOf(lastNote(id), userId) });
    }
    for (const id of rooms.keys()) this.#left.delete(id);
    this.#listed = new Map([...rooms.values()].map(({ id, name, kind }) => [id, { id, name, kind }]));
  }

  /** Add rooms of which only what was written is known: [id, name]. */
  remember(written) {
    for (const [id, name] of written) {
      if (!this.#listed.has(id) && !this.#left.has(id)) this.#left.set(id, { id, name, kind: "group", isLeft: true, sentence: gettext(GONE) });
    }
  }

  get(id) {
    return this.#left.get(id);
  }

  /** Return those that are selected or hold something written. */
  shown(selected, written) {
    const held = new Set(written.map(([id]) => id)).add(selected);
    return [...this.#left.values()].filter(({ id }) => held.has(id));
  }
}

function sentenceOf(note, userId) {
  if (note?.member?.id !== userId) return gettext(GONE);
  if (note.action === "leave_room") return gettext("You left this room.");
  const values = { name: plain(note.user.username) };
  if (note.action === "ban_user") return gettext("You were banned from this room by {name}.", values);
  return note.action === "remove_user" ? gettext("You were removed from this room by {name}.", values) : gettext(GONE);
}

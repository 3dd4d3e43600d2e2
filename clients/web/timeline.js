// What is loaded of each room: a run of lines without a gap, bounded, never cut where somebody reads.
//
// A line is a message in its present state, or {note, seq} of another event. Pure data.

import { changed, Changes, isChange } from "./changes.js";
import { isPin } from "./pins.js";
import { isReaction, lineOf } from "./reactions.js";

const MAX_LINES = 500; // of one room; older ones are loaded again when asked for
const MAX_HELD_LINES = 1_000; // while somebody reads far above the end
const KEPT_LINES = 100; // beyond what is on the screen, at either end
const SNAPSHOT = 20; // messages of select_room: fewer are all there are

/** The lines of all rooms that were opened. */
export class Timeline {
  #userId;
  #rooms = new Map(); // room id → {epoch, firstSeq, lines, changes, hasEarlier, hasLater,
  // aside: quoted messages beyond the lines, by id, tried: ids of quoted messages that were looked for}

  constructor(userId) {
    this.#userId = userId;
  }

  get(roomId) {
    return this.#rooms.get(roomId);
  }

  /** Return a message of a room by its id, if it is known. */
  find(roomId, id) {
    const room = this.#rooms.get(roomId);
    return room?.lines.find((line) => line.id === id) ?? room?.aside.get(id);
  }

  replace(roomId, epoch, messages, firstSeq) {
    const known = { lines: messages.map(lineOf), changes: new Changes(this.#userId), aside: new Map(), tried: new Set() };
    this.#rooms.set(roomId, { epoch, firstSeq, ...known, hasEarlier: messages.length >= SNAPSHOT, hasLater: false });
  }

  /** The room's log begins here now: what was before is kept no longer. */
  begins(roomId, firstSeq) {
    const room = this.#rooms.get(roomId);
    if (room) room.firstSeq = firstSeq;
  }

  append(roomId, event) {
    const room = this.#rooms.get(roomId);
    if (!room) return;
    if (isChange(event) || isReaction(event) || isPin(event)) change(room, event, this.#userId);
    if (isChange(event) || isReaction(event)) return;
    const isKnown = event.seq <= (room.lines.at(-1)?.seq ?? 0); // from an answer that was ahead of the events
    if (!room.hasLater && !isKnown) room.lines.push(event.action === "new_message" ? lineOf(event.message) : { note: event, seq: event.seq });
  }

  /**
   * Put a page of history before or behind, with the changes that were heard after event `asOf`; `isLast` says that
   * there is nothing beyond it. Return false where the page is too old for that.
   */
  extend(roomId, direction, page, asOf, isLast) {
    const room = this.#rooms.get(roomId);
    const messages = room.changes.caughtUp(page, asOf);
    if (!messages) return false;
    if (direction === "earlier") {
      const first = room.lines[0]?.seq ?? Infinity;
      room.lines.unshift(...messages.filter(({ seq }) => seq < first));
      room.hasEarlier = !isLast;
    } else {
      const last = room.lines.at(-1)?.seq ?? 0;
      room.lines.push(...messages.filter(({ seq }) => seq > last));
      room.hasLater = !isLast;
    }
    return true;
  }

  /** Show two pages of history instead, which meet at a message; each is {messages, asOf, isWhole}, the later one `isAtHead` or not. Return false if they are too old. */
  jump(roomId, before, after) {
    const room = this.#rooms.get(roomId);
    const parts = [before, after].map(({ messages, asOf }) => room.changes.caughtUp(messages, asOf));
    if (parts.includes(null)) return false;
    const ends = { hasEarlier: !before.isWhole, hasLater: !(after.isWhole && after.isAtHead) };
    this.#rooms.set(roomId, { ...room, lines: parts.flat(), tried: new Set(), ...ends });
    return true;
  }

  /** Keep messages that replies quote, beyond the lines; return false if the answer is too old. */
  keepAside(roomId, messages, asOf) {
    const { aside, changes } = this.#rooms.get(roomId);
    const known = changes.caughtUp(messages, asOf);
    for (const message of known ?? []) aside.set(message.id, message);
    return known !== null;
  }

  /** Drop lines that are far from those on the screen, `first` to `last` (seqs); null: nobody looks. Return whether. */
  trim(roomId, first, last) {
    const room = this.#rooms.get(roomId);
    if (!room || room.lines.length <= MAX_LINES) return false;
    const { lines } = room;
    const top = first === null ? lines.length : lines.findIndex(({ seq }) => seq >= first);
    const above = Math.max(0, Math.min(lines.length - MAX_LINES, top - KEPT_LINES));
    const bottom = last === null ? lines.length : lines.findLastIndex(({ seq }) => seq <= last);
    const below = Math.max(0, Math.min(lines.length - above - MAX_HELD_LINES, lines.length - 1 - bottom - KEPT_LINES));
    room.lines = lines.slice(above, lines.length - below);
    room.hasEarlier ||= above > 0;
    room.hasLater ||= below > 0;
    return above + below > 0;
  }
}

function change({ lines, changes, aside }, event, userId) {
  changes.heard(event);
  const quoted = aside.get(event.message.id);
  if (quoted) aside.set(quoted.id, changed(quoted, event, userId));
  const place = lines.findIndex(({ seq }) => seq === event.message.seq);
  if (place !== -1) lines[place] = changed(lines[place], event, userId);
}

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
  #rooms = new Map(); // room id → {epoch, lines, changes, hasEarlier, hasLater}

  constructor(userId) {
    this.#userId = userId;
  }

  get(roomId) {
    return this.#rooms.get(roomId);
  }

  replace(roomId, epoch, messages) {
    this.#rooms.set(roomId, { epoch, lines: messages.map(lineOf), changes: new Changes(this.#userId), hasEarlier: messages.length >= SNAPSHOT, hasLater: false });
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

function change({ lines, changes }, event, userId) {
  changes.heard(event);
  const place = lines.findIndex(({ seq }) => seq === event.message.seq);
  if (place !== -1) lines[place] = changed(lines[place], event, userId);
}

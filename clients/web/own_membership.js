// What the user is in each room: the role, and whether they are muted. The api says it, then events change it.
//
// Without an answer the role is unknown (null): then the page offers what members may, and the server decides.

import { isUnder } from "./roles.js";
import { gettext } from "./texts.js";
import { timeText } from "./view.js";

const UNKNOWN = { role: null, muted: false, until: null };
const LONGEST_MS = 2 ** 31 - 1; // that a timer can wait
const LATE_MS = 500; // after its end a mute is surely over

/** One user's memberships. */
export class OwnMembership {
  #userId;
  #members;
  #changed;
  #rooms = new Map(); // room id → {role, muted, until: epoch seconds, null: without an end}
  #turns = new Map(); // room id → the question whose answer counts
  #timers = new Map(); // room id → of the end of a mute

  /** `members(roomId, {id})` asks the api, null: nobody can; `changed()` is called for news. */
  constructor(userId, members, changed) {
    this.#userId = userId;
    this.#members = members;
    this.#changed = changed;
  }

  /** Return {role, muted, until} of a room, as far as it is known. */
  get(roomId) {
    const known = this.#rooms.get(roomId) ?? UNKNOWN;
    return known.muted && known.until !== null && known.until * 1000 <= Date.now() ? { ...known, muted: false, until: null } : known;
  }

  /** Whether the user's role in a room is this one or a higher one; an unknown role is none. */
  isAtLeast(roomId, role) {
    const { role: own } = this.get(roomId);
    return own !== null && !isUnder(own, role);
  }

  /** Whether the user can write in a room, as far as it is known. */
  canWrite(roomId) {
    const { role, muted } = this.get(roomId);
    return role !== "reader" && !muted;
  }

  /** Return why the user can't write in a room; empty: they can. */
  objection(roomId) {
    const { role, until } = this.get(roomId);
    if (this.canWrite(roomId)) return "";
    if (role === "reader") return gettext("You can only read in this room. What you wrote stays here.");
    return until === null
      ? gettext("You are muted in this room. What you wrote stays here.")
      : gettext("You are muted in this room until {until}. What you wrote stays here.", { until: timeText(until) });
  }

  /** Ask the api; an event that comes meanwhile has it asked again. */
  async refresh(roomId) {
    if (!this.#members) return;
    const turn = {};
    this.#turns.set(roomId, turn);
    const found = await this.#members(roomId, { id: this.#userId }).catch(() => []);
    if (this.#turns.get(roomId) !== turn) return;
    this.#turns.delete(roomId);
    const me = found.find(({ id }) => id === this.#userId);
    if (me) this.#learn(roomId, { role: me.role, muted: me.muted, until: me.muted_until });
  }

  /** Follow the next event of a room. */
  heard(roomId, event) {
    const { action, member } = event;
    if (member?.id !== this.#userId) return;
    const { role } = member;
    if (action === "set_role") this.#learn(roomId, { role });
    else if (action === "invite_user" || action === "join_room") this.#learn(roomId, { ...UNKNOWN, role });
    else if (action === "mute_user") this.#learn(roomId, { role, muted: true, until: event.until ?? null });
    else if (action === "unmute_user") this.#learn(roomId, { role, muted: false, until: null });
    else return;
    if (this.#turns.has(roomId)) this.refresh(roomId);
  }

  /** The server has refused a command of the user's: it may know more than was heard. */
  refused({ room, action }, code) {
    if (!room) return;
    if (code === "muted") this.#learn(room, { muted: true, until: null });
    else if (code === "forbidden" && action === "new_message") this.#learn(room, { role: "reader" }); // nobody else may not
    else if (code !== "forbidden") return;
    this.refresh(room);
  }

  /** Forget all rooms but these. */
  keep(rooms) {
    for (const id of [...this.#rooms.keys(), ...this.#turns.keys()]) if (!rooms.has(id)) this.forget(id);
  }

  /** Forget a room: what changed in it was not heard. */
  forget(roomId) {
    this.#rooms.delete(roomId);
    this.#turns.delete(roomId);
    clearTimeout(this.#timers.get(roomId));
    this.#timers.delete(roomId);
  }

  #learn(roomId, facts) {
    this.#rooms.set(roomId, { ...this.get(roomId), ...facts });
    this.#watch(roomId);
    this.#changed();
  }

  /** Paint again when a mute ends: of that no event tells. */
  #watch(roomId) {
    clearTimeout(this.#timers.get(roomId));
    const { muted, until } = this.get(roomId);
    if (!muted || until === null) return;
    const waiting = Math.min(until * 1000 - Date.now() + LATE_MS, LONGEST_MS);
    this.#timers.set(roomId, setTimeout(() => (this.#watch(roomId), this.#changed()), waiting));
  }
}

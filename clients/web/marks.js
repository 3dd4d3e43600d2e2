// Read marks on their way to the server: of each room the furthest, one at a time, until it is answered.
//
// A mark moves forward only, so a repeat is harmless and an older one is not worth sending. No I/O: the client says
// what time it is and does the sending. Bound: the rooms of the user.

const ANSWER_MS = 15_000; // then it is sent again; twice as long after each time
const MAX_ANSWER_MS = 240_000; // a worker of the release before never answers
const MAX_AT_ONCE = 4; // messages need the rest of the server's 32 unanswered commands
export const PAUSE_MS = 300; // scrolling reads many messages a second

/** The marks of one user that the server does not have yet. */
export class Marks {
  #wanted = new Map(); // room id → seq
  #flights = new Map(); // uuid → {room, seq, until}
  #answerMs = ANSWER_MS;

  /** Tell whether something could be sent now. */
  isWaiting(now) {
    return [...this.#wanted.keys()].some((room) => !this.#isInFlight(room, now));
  }

  want(room, seq) {
    this.#wanted.set(room, Math.max(seq, this.#wanted.get(room) ?? 0));
  }

  /** Return the commands to send now; `newUuid` names them. */
  take(now, newUuid) {
    const late = [...this.#flights].filter(([, { until }]) => now > until);
    for (const [uuid] of late) this.#flights.delete(uuid);
    if (late.some(([, { isRefused }]) => !isRefused)) this.#answerMs = Math.min(2 * this.#answerMs, MAX_ANSWER_MS);
    const free = [...this.#wanted]
      .filter(([room]) => !this.#isInFlight(room, now))
      .slice(0, Math.max(0, MAX_AT_ONCE - this.#flights.size));
    return free.map(([room, seq]) => {
      const uuid = newUuid();
      this.#flights.set(uuid, { room, seq, until: now + this.#answerMs });
      return { uuid, action: "mark_read", room, seq };
    });
  }

  /** Forget what was answered, or refused for good. */
  settle(uuid) {
    this.#answerMs = ANSWER_MS;
    const flight = this.#flights.get(uuid);
    this.#flights.delete(uuid);
    if (flight && this.#wanted.get(flight.room) === flight.seq) this.#wanted.delete(flight.room);
  }

  /** Wait with a mark that the server could not take. */
  refused(uuid, until) {
    const flight = this.#flights.get(uuid);
    if (flight) Object.assign(flight, { until, isRefused: true });
  }

  forget(room) {
    this.#wanted.delete(room);
  }

  disconnected() {
    this.#flights.clear();
  }

  #isInFlight(room, now) {
    return [...this.#flights.values()].some((flight) => flight.room === room && flight.until >= now);
  }
}

// How often the user's typing is said. No I/O: the client sends.

import { now } from "./clock.js";

const SAID_MS = 3_000; // the server passes on no more

/** When the user has said so last, by room. */
export class TypingPauses {
  #said = new Map(); // room id → when

  /** Tell whether the user's typing in a room is due to be said; then it counts as said. */
  isDue(room) {
    for (const [id, at] of this.#said) if (now() - at >= SAID_MS) this.#said.delete(id);
    if (this.#said.has(room)) return false;
    this.#said.set(room, now());
    return true;
  }
}

// Pictures of people: frames carry names alone, so the page asks for pictures of those whom it shows.

const ASKED_AT_ONCE = 100; // the server's limit
const PAUSE_MS = 100; // the authors of a whole page are asked for together

/** One user's view of other people's pictures; each is asked for once while the page is open. */
export class Avatars {
  #addresses = new Map(); // user id → address; empty: none, or not known yet
  #wanted = [];
  #find;
  #changed;

  /** `find(ids)` returns a promise of [{id, avatar}], or is null: then everybody has initials. */
  constructor(find, changed) {
    this.#find = find;
    this.#changed = changed;
  }

  /** Return the address of somebody's picture, or "" where there is none or it is not known yet. */
  of(userId) {
    if (this.#find && !this.#addresses.has(userId)) {
      this.#addresses.set(userId, "");
      if (this.#wanted.push(userId) === 1) setTimeout(() => this.#ask(), PAUSE_MS);
    }
    return this.#addresses.get(userId) ?? "";
  }

  async #ask() {
    const ids = this.#wanted.splice(0, ASKED_AT_ONCE);
    if (this.#wanted.length) setTimeout(() => this.#ask(), PAUSE_MS);
    const people = await this.#find(ids).catch(() => []); // initials do
    for (const { id, avatar } of people) this.#addresses.set(id, avatar);
    if (people.length) this.#changed();
  }
}

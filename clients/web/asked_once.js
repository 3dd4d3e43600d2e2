// What the page asks the api about many things of one kind: each once while the page is open, those of one moment together.

const ASKED_AT_ONCE = 100; // the server's limit
const PAUSE_MS = 100; // the authors of a whole page are asked for together
const RETRY_MS = 60_000; // after a failure

/** One kind of things by their ids, such as the pictures of people. */
export class AskedOnce {
  #known = new Map(); // id → what was found; null: nothing, or not known yet
  #wanted = [];
  #find;
  #idOf;
  #changed;

  /** `find(ids)` returns a promise of things whose id is `idOf(thing)`, or is null: then nothing is ever known. */
  constructor(find, idOf, changed) {
    [this.#find, this.#idOf, this.#changed] = [find, idOf, changed];
  }

  /** Return what was found by this id, or null where there is nothing or it is not known yet. */
  get(id) {
    if (this.#find && !this.#known.has(id)) {
      this.#known.set(id, null);
      if (this.#wanted.push(id) === 1) setTimeout(() => this.#ask(), PAUSE_MS);
    }
    return this.#known.get(id) ?? null;
  }

  async #ask() {
    const ids = this.#wanted.splice(0, ASKED_AT_ONCE);
    if (this.#wanted.length) setTimeout(() => this.#ask(), PAUSE_MS);
    try {
      const found = await this.#find(ids);
      for (const thing of found) this.#known.set(this.#idOf(thing), thing);
      if (found.length) this.#changed();
    } catch {
      setTimeout(() => ids.forEach((id) => this.#known.delete(id)), RETRY_MS); // meanwhile the page does without
    }
  }
}

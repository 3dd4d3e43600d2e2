// What a browser keeps of one user: outbox, drafts, failed messages and read marks, in one of its storages.
//
// Every key begins with one prefix and names the user, so that a logout deletes everything and nothing is ever
// read under another user's name. Values are JSON. A storage that is forbidden or full costs no more than the memory.

const PREFIX = "roomlog-";
const USER_KEY = `${PREFIX}user`; // who has the page open in this browser; other tabs hear it change

/** One user's part of a storage: values by kind and id. */
export class Memory {
  #storage;
  #userId;

  constructor(storage, userId) {
    this.#storage = storage;
    this.#userId = userId;
  }

  prefix(kind) {
    return `${PREFIX}${kind}-${this.#userId}:`;
  }

  get(kind, id) {
    return parse(this.#storage?.getItem(this.prefix(kind) + id) ?? null);
  }

  set(kind, id, value) {
    try {
      this.#storage?.setItem(this.prefix(kind) + id, JSON.stringify(value));
    } catch {
      // Full: what is on the screen is still there.
    }
  }

  remove(kind, id) {
    this.#storage?.removeItem(this.prefix(kind) + id);
  }

  /** Return [id, value] of everything of a kind. */
  entries(kind) {
    const prefix = this.prefix(kind);
    const ids = keysOf(this.#storage).filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    return ids.map((id) => [id, this.get(kind, id)]).filter(([, value]) => value !== null);
  }

  /** Call `changed(id, value)` when another tab has changed something of a kind; null when it was removed. */
  watch(kind, changed) {
    const prefix = this.prefix(kind);
    addEventListener("storage", ({ storageArea, key, newValue }) => {
      if (storageArea === this.#storage && key?.startsWith(prefix)) changed(key.slice(prefix.length), parse(newValue));
    });
  }

  /** Delete what other users left. */
  forgetOthers() {
    for (const key of keysOf(this.#storage)) {
      const isOwn = key === USER_KEY || key.includes(`-${this.#userId}:`);
      if (key.startsWith(PREFIX) && !isOwn) this.#storage.removeItem(key);
    }
  }

  /** Say that this user has the page open; `ousted` is called when that ends in another tab. */
  claim(ousted) {
    if (!this.#storage) return;
    this.#storage.setItem(USER_KEY, this.#userId);
    addEventListener("storage", ({ storageArea, key, newValue }) => {
      const isGone = key === null || (key === USER_KEY && newValue !== String(this.#userId));
      if (storageArea === this.#storage && isGone) ousted();
    });
  }

  /** Delete all that is the user's, and keep nothing from now on. */
  close() {
    for (const key of keysOf(this.#storage)) {
      if (key.startsWith(PREFIX) && key.includes(`-${this.#userId}:`)) this.#storage.removeItem(key);
    }
    if (this.#storage?.getItem(USER_KEY) === String(this.#userId)) this.#storage.removeItem(USER_KEY);
    this.#storage = null;
  }
}

/** Return a storage by its name, or null where the browser forbids it. */
export function storageNamed(name) {
  try {
    return window[name];
  } catch {
    return null;
  }
}

/** Delete what this browser keeps of anybody; pages that are open in other tabs hear it. */
export function forgetEverybody() {
  for (const storage of [storageNamed("localStorage"), storageNamed("sessionStorage")]) {
    for (const key of keysOf(storage)) if (key.startsWith(PREFIX)) storage.removeItem(key);
  }
}

function keysOf(storage) {
  return Array.from({ length: storage?.length ?? 0 }, (_, place) => storage.key(place));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null; // not written by this code
  }
}

// What was typed and not sent, by room: kept by this tab, over reloads, and for the next tab.
//
// The tab's own storage comes first: two tabs with drafts for one room must not overwrite each other's.

/** One user's drafts. */
export class Drafts {
  #texts = new Map(); // room id → {name, text} of this tab
  #tab;
  #browser;

  /** `tab` and `browser` are the Memory of the tab alone and of the whole browser. */
  constructor(tab, browser) {
    this.#tab = tab;
    this.#browser = browser;
  }

  get(roomId) {
    return this.#kept(roomId)?.text ?? "";
  }

  /** Keep a text; the name is for a room that is gone when it is wanted. */
  set(roomId, name, text) {
    const before = this.get(roomId);
    this.#texts.set(roomId, { name, text });
    this.#tab.set("draft", roomId, { name, text });
    if (text) this.#browser.set("draft", roomId, { name, text });
    else if (this.#browser.get("draft", roomId)?.text === before) this.#browser.remove("draft", roomId);
  }

  /** Return [room id, name] of each room with a draft. */
  rooms() {
    const ids = new Set([...this.#texts.keys(), ...[this.#tab, this.#browser].flatMap((memory) => memory.entries("draft").map(([id]) => id))]);
    return [...ids].map((id) => [id, this.#kept(id)]).filter(([, draft]) => draft?.text).map(([id, { name }]) => [id, name]);
  }

  #kept(roomId) {
    return this.#texts.get(roomId) ?? this.#tab.get("draft", roomId) ?? this.#browser.get("draft", roomId);
  }
}

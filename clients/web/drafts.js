// What was typed and not sent, by room: kept by this tab, over reloads, and for the next tab.
//
// An edit that was begun is the tab's alone, beside the draft. A draft that replies to a message keeps its id, never its text.
// The tab's own storage comes first: two tabs with drafts for one room must not overwrite each other's.

/** One user's drafts. */
export class Drafts {
  #texts = new Map(); // room id → {name, text, reply: id of a message, or null} of this tab
  #edits = new Map(); // room id → {id: the message's, before, text}, or null
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
    this.#keep(roomId, { name, text, reply: this.reply(roomId) });
  }

  /** Return the id of the message that the draft of a room replies to, or null. */
  reply(roomId) {
    return this.#kept(roomId)?.reply ?? null;
  }

  setReply(roomId, name, reply) {
    this.#keep(roomId, { name, text: this.get(roomId), reply });
  }

  #keep(roomId, draft) {
    const before = this.get(roomId);
    this.#texts.set(roomId, draft);
    this.#tab.set("draft", roomId, draft);
    if (draft.text) this.#browser.set("draft", roomId, draft);
    else if (this.#browser.get("draft", roomId)?.text === before) this.#browser.remove("draft", roomId);
  }

  /** Return the edit that was begun in a room, or null. */
  edit(roomId) {
    if (!this.#edits.has(roomId)) this.#edits.set(roomId, this.#tab.get("edit", roomId));
    return this.#edits.get(roomId);
  }

  setEdit(roomId, edit) {
    this.#edits.set(roomId, edit);
    if (edit) this.#tab.set("edit", roomId, edit);
    else this.#tab.remove("edit", roomId);
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

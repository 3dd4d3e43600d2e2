// Loads what is missing of a room's log: the next page at either end, the part around a message, the messages that replies quote.
//
// Replies name a message by its id, history goes by seq: a message that is not loaded is looked for page by page, within a bound.

const PAGE = 50; // messages loaded at once
const SEARCHED = 100; // messages of one page of a search
const MAX_SEARCHED_PAGES = 10; // of one search

/** Asks the client and fills the timeline; throws what `client.request` throws. */
export class Loader {
  #client;
  #timeline;

  constructor(client, timeline) {
    this.#client = client;
    this.#timeline = timeline;
  }

  /** Load the next page "earlier" or "later" than the loaded lines. */
  async extend(roomId, direction) {
    const view = this.#timeline.get(roomId);
    const [edge, key] = direction === "earlier" ? [view.lines[0], "before"] : [view.lines.at(-1), "after"];
    const { messages, asOf, isWhole, isAtHead } = await this.#ask(roomId, edge ? { [key]: edge.seq } : {});
    const isLast = isWhole && (direction === "earlier" || isAtHead); // else events were dropped meanwhile
    if (this.#timeline.get(roomId) === view && !this.#timeline.extend(roomId, direction, messages, asOf, isLast)) throw new Error("no answer");
  }

  /** Load the messages around one, by its seq, in place of the loaded lines; return false if the room has no such message. */
  async around(roomId, seq) {
    const view = this.#timeline.get(roomId);
    const before = await this.#ask(roomId, { before: seq + 1 });
    if (before.messages.at(-1)?.seq !== seq) return false;
    const after = await this.#ask(roomId, { after: seq });
    if (this.#timeline.get(roomId) !== view || !this.#timeline.jump(roomId, before, after)) throw new Error("no answer");
    return true;
  }

  /** Return the seq of a message above the loaded lines, by its id; 0: the room has none, null: it is further up than is searched. */
  async seqOf(roomId, id) {
    let before = this.#timeline.get(roomId).lines[0]?.seq;
    for (let page = 0; before && page < MAX_SEARCHED_PAGES; page += 1) {
      const { messages, isWhole } = await this.#ask(roomId, { before }, SEARCHED);
      const found = messages.find((message) => message.id === id);
      if (found || isWhole) return found?.seq ?? 0;
      before = messages[0]?.seq;
    }
    return null;
  }

  /** Look for quoted messages, by their ids, in the page above the loaded lines: once for each. Return whether any was found. */
  async quoted(roomId, ids) {
    const view = this.#timeline.get(roomId);
    if (!view?.hasEarlier || this.#client.state !== "online") return false;
    const wanted = new Set(ids.filter((id) => !view.tried.has(id) && !this.#timeline.find(roomId, id)));
    if (wanted.size === 0) return false;
    for (const id of wanted) view.tried.add(id);
    const { messages, asOf } = await this.#ask(roomId, { before: view.lines[0].seq }, SEARCHED);
    const found = messages.filter(({ id }) => wanted.has(id));
    return found.length > 0 && this.#timeline.get(roomId) === view && this.#timeline.keepAside(roomId, found, asOf);
  }

  async #ask(room, edge, limit = PAGE) {
    const head = this.#client.rooms.get(room)?.seq;
    const { room_messages: messages, more = messages.length === limit, seq: asOf = head, first_seq: firstSeq = 1 } = await this.#client.request("get_history", { room, limit, ...edge });
    this.#timeline.begins(room, firstSeq);
    return { messages, asOf, isWhole: !more, isAtHead: this.#client.rooms.get(room)?.seq === head };
  }
}

// Whom the user has blocked, on all devices: read after each login, and followed from then on.
//
// The server refuses what is written in direct rooms, and counts nothing of theirs. What they say in groups is hidden here.

/** One user's blocks. */
export class Blocks {
  #client;
  #changed;
  #people = new Map(); // id → {id, username}

  /** `changed()` is called for each change. */
  constructor(client, changed) {
    [this.#client, this.#changed] = [client, changed];
    client.addEventListener("state", ({ detail }) => detail.state === "online" && this.#read().catch(() => {})); // read at the next login
    client.addEventListener("blocked", ({ detail: { user, blocked } }) => this.#take(user, blocked));
  }

  has(id) {
    return this.#people.has(id);
  }

  /** All of them, in the order of their ids. */
  get all() {
    return [...this.#people.values()];
  }

  /** Return an event as one that nobody counts and is told of, if somebody blocked has caused it; else as it is. */
  hushed(event) {
    const { message } = event;
    return event.action === "new_message" && this.has(message.user.id) ? { ...event, message: { ...message, deleted: true } } : event;
  }

  /** Block somebody or end that; rejects with the server's sentence. */
  async set(id, isBlocked) {
    const { user } = await this.#client.request(isBlocked ? "block_user" : "unblock_user", { user: id });
    this.#take(user, isBlocked);
  }

  async #read() {
    const found = [];
    let page;
    do {
      page = await this.#client.request("list_blocks", { after: found.at(-1)?.id ?? 0 });
      found.push(...page.users);
    } while (page.more);
    this.#people = new Map(found.map((user) => [user.id, user]));
    this.#changed();
  }

  #take(user, isBlocked) {
    if (isBlocked) this.#people.set(user.id, user);
    else this.#people.delete(user.id);
    this.#changed();
  }
}

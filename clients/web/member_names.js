// The names of a room's members: who can be mentioned in it, and whom a text mentions.
//
// Asked for when they are wanted, and again after somebody came or went. Without the api nobody is known.

const PAGE = 100; // members of one answer: fewer are all there are
const MAX_PAGES = 10;
const MAX_MENTIONS = 20; // of one message, the server's limit
const CHANGES = new Set(["create_room", "invite_user", "join_room", "remove_user", "leave_room", "ban_user"]);
export const EVERYBODY = "room"; // as a name behind the @, unless a member has it
const MAX_SMALL = 50; // members of a room in which everybody may mention all, the server's limit
const WORD = /[\p{L}\p{N}_]/u;

/** The names in all rooms. */
export class MemberNames {
  #members;
  #asked = new Map(); // room id → the answer, to come
  #known = new Map(); // room id → [{id, username}]
  #looked = new Set(); // ids of rooms whose names were asked for to be shown

  /** `members(roomId, query)` asks the api; null: nobody can. */
  constructor(members) {
    this.#members = members;
  }

  /** Return the members of a room: [{id, username}]. */
  load(roomId) {
    if (!this.#members) return Promise.resolve([]);
    if (!this.#asked.has(roomId)) this.#asked.set(roomId, this.#read(roomId));
    return this.#asked.get(roomId);
  }

  /** Return those that are known already, or undefined. */
  known(roomId) {
    return this.#known.get(roomId);
  }

  /** Follow the next event of a room. */
  heard(roomId, { action }) {
    if (CHANGES.has(action)) this.forget(roomId);
  }

  /** Return a member's name, or null: not known; it is asked for then, and `heard()` called when it may be. */
  nameOf(roomId, userId, heard) {
    if (this.#members && !this.#looked.has(roomId)) {
      this.#looked.add(roomId);
      this.load(roomId).then(heard, () => {}); // without them people are counted
    }
    return this.#known.get(roomId)?.find(({ id }) => id === userId)?.username ?? null;
  }

  forget(roomId) {
    this.#looked.delete(roomId);
    this.#asked.delete(roomId);
    this.#known.delete(roomId);
  }

  /** Return the ids of those whom a text mentions, each as `@` and the whole name; null: the members are not known yet. */
  mentioned(roomId, text) {
    if (!text.includes("@")) return [];
    const people = this.#known.get(roomId);
    return people ? [...new Set(idsIn(text, people))].slice(0, MAX_MENTIONS) : null;
  }

  /** Whether so few are in the room that everybody may mention all. */
  isSmall(roomId) {
    return (this.#known.get(roomId)?.length ?? Infinity) <= MAX_SMALL;
  }

  /** Return what a command says of a text that mentions everybody. */
  forAll(roomId, text) {
    const people = this.#known.get(roomId) ?? [];
    const isNamed = people.some(({ username }) => username === EVERYBODY);
    return !isNamed && idsIn(text, [{ id: 0, username: EVERYBODY }]).length > 0 ? { mentions_room: true } : {};
  }

  async #read(roomId) {
    const found = [];
    try {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const members = await this.#members(roomId, { after: found.at(-1)?.id ?? 0 });
        found.push(...members);
        if (members.length < PAGE) break;
      }
    } catch (error) {
      this.#asked.delete(roomId); // asked again
      throw error;
    }
    if (this.#asked.has(roomId)) this.#known.set(roomId, found);
    return found;
  }
}

function idsIn(text, people) {
  const longestFirst = people.toSorted((one, other) => other.username.length - one.username.length);
  const places = [...text.matchAll(/@/g)].map(({ index }) => index).filter((index) => !WORD.test(text[index - 1] ?? ""));
  const named = places.map((index) => {
    const isHere = ({ username }) => text.startsWith(username, index + 1) && !WORD.test(text[index + 1 + username.length] ?? "");
    return longestFirst.find(isHere)?.id;
  });
  return named.filter((id) => id !== undefined);
}

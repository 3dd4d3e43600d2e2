// The members of a room, in a dialog behind a button of its head: roles, mutes, and a way to change them for those who may.

import { ListDialog } from "./list_dialog.js";
import { plain } from "./names.js";
import { el } from "./nodes.js";
import { patch, setText } from "./patch.js";
import { mayModerate, roleName, rolesToGive } from "./roles.js";
import { gettext, refusalText } from "./texts.js";
import { nameEl, timeText } from "./view.js";

const PAGE = 100; // members of one answer: fewer are all there are
const CHANGES = new Set(["invite_user", "join_room", "remove_user", "leave_room", "set_role", "mute_user", "unmute_user", "ban_user", "unban_user"]);

/** The list of one room at a time. */
export class MemberList extends ListDialog {
  #people = null; // null: not known yet
  #banned = [];
  #hasMore = false;

  /**
   * `parts` are rooms (`peopleOfRooms` of api.js, or null), own (OwnMembership), userId, moderation, `opened(dialog)` to
   * show one.
   */
  constructor(root, parts) {
    super(root, "members-dialog", parts);
    this.at("more-members").addEventListener("click", () => this.load(this.#people.at(-1).id));
    this.at("members").addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  /** Whether anybody can say who is in a room. */
  get isPossible() {
    return this.parts.rooms !== null;
  }

  close() {
    this.parts.moderation.close();
    super.close();
  }

  forget() {
    [this.#people, this.#banned] = [null, []];
  }

  concerns({ action }) {
    return CHANGES.has(action);
  }

  paint() {
    if (!this.dialog.open) return;
    const { own, userId, attendance, blocks } = this.parts;
    const { role } = own.get(this.room);
    const isHere = ({ id, isBanned }) => !isBanned && attendance.has(this.room, id);
    const rows = this.#shown().map((person) => memberRow(person, role, userId, isHere(person), blocks.has(person.id)));
    this.keepingFocus(() => patch(this.at("members"), rows), "[data-closes]");
    setText(this.at("no-members"), gettext("Loading…"));
    this.at("no-members").hidden = this.#people !== null;
    this.at("more-members").hidden = !this.#hasMore;
  }

  /** Ask for all that are shown, page by page, or for the page behind somebody. */
  load(after = null) {
    const take = ({ found, hasMore, banned }) => ([this.#people, this.#hasMore, this.#banned] = [found, hasMore, banned]);
    const failed = (error) => {
      this.#people ??= [];
      return error.message;
    };
    return this.readInTurn((isCurrent) => this.#read(after, isCurrent), take, failed);
  }

  async #read(after, isCurrent) {
    const room = this.room;
    const wanted = after === null ? Math.max(PAGE, this.#people?.length ?? 0) : this.#people.length + PAGE;
    const found = after === null ? [] : [...this.#people];
    let page;
    do {
      page = await this.parts.rooms.members(room, { after: found.at(-1)?.id ?? 0 });
      found.push(...page);
    } while (page.length === PAGE && found.length < wanted && isCurrent());
    return { found, hasMore: page.length === PAGE, banned: await this.#bans(room) };
  }

  /** Return who is banned, to those who may know it. */
  async #bans(room) {
    const { own, rooms } = this.parts;
    if (!own.isAtLeast(room, "admin")) return [];
    const bans = await rooms.bans(room).catch(() => []);
    return bans.map(({ user, until }) => ({ ...user, role: "member", isBanned: true, until }));
  }

  #clicked(button) {
    const person = button && this.#shown().find(({ id }) => id === Number(button.dataset.member));
    if (person && button.className === "block") this.#block(person);
    else if (person) this.parts.moderation.open(this.room, person);
  }

  /** Return members, those who are banned, and last all others whom the user has blocked. */
  #shown() {
    const people = [...(this.#people ?? []), ...this.#banned];
    const others = this.parts.blocks.all.filter(({ id }) => !people.some((person) => person.id === id));
    return [...people, ...(this.#hasMore ? [] : others.map((person) => ({ ...person, role: null })))];
  }

  async #block({ id }) {
    const { blocks } = this.parts;
    this.wrong.hidden = true;
    try {
      await blocks.set(id, !blocks.has(id));
    } catch (error) {
      setText(this.wrong, refusalText(null, error.message));
      this.wrong.hidden = false;
    }
    this.paint();
  }
}

function memberRow(person, role, userId, isHere, isBlocked) {
  const build = () => {
    const button = el("button", { type: "button", ariaLabel: gettext("Change {name}", { name: plain(person.username) }) }, gettext("Change…"));
    const block = el("button", { type: "button", className: "block" });
    for (const one of [button, block]) one.dataset.member = person.id;
    return el("li", {}, el("span", { className: "who" }, nameEl(person.username), " ", el("small")), block, button);
  };
  const update = (row) => {
    row.classList.toggle("here", isHere);
    const facts = [memberFacts(person), isHere && gettext("online"), isBlocked && gettext("blocked by you")];
    setText(row.querySelector("small"), facts.filter(Boolean).join(", "));
    const block = row.querySelector(".block");
    setText(block, isBlocked ? gettext("Unblock") : gettext("Block"));
    block.ariaLabel = isBlocked ? gettext("Unblock {name}", { name: plain(person.username) }) : gettext("Block {name}", { name: plain(person.username) });
    block.hidden = person.id === userId;
    row.lastElementChild.hidden = person.role === null || (rolesToGive(role, person).length === 0 && !mayModerate(role, person, userId));
  };
  return { key: `${person.isBanned ? "banned" : "member"} ${person.id}`, build, update };
}

/** Return what there is to be known of a member: role and mute; or of somebody banned, its end. */
export function memberFacts({ role, muted, muted_until: until, isBanned, until: banEnd }) {
  if (role === null) return ""; // no member
  if (isBanned) return banEnd === null ? gettext("banned") : gettext("banned until {until}", { until: timeText(banEnd) });
  if (!muted) return roleName(role);
  const isMuted = until === null ? gettext("muted") : gettext("muted until {until}", { until: timeText(until) });
  return `${roleName(role)}, ${isMuted}`;
}

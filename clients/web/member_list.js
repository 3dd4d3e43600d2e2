// The members of a room, in a dialog behind a button of its head: roles, mutes, and a way to change them for those who may.

import { plain } from "./names.js";
import { patch, setText } from "./patch.js";
import { mayModerate, roleName, rolesToGive } from "./roles.js";
import { gettext } from "./texts.js";
import { el, nameEl, timeText } from "./view.js";

const PAGE = 100; // members of one answer: fewer are all there are
const CHANGES = new Set(["invite_user", "remove_user", "leave_room", "set_role", "mute_user", "unmute_user", "ban_user", "unban_user"]);

/** The list of one room at a time. */
export class MemberList {
  #root;
  #parts;
  #dialog;
  #room = null; // id
  #people = null; // null: not known yet
  #banned = [];
  #hasMore = false;
  #turn = null; // the question whose answer counts

  /**
   * `parts` are rooms (`peopleOfRooms` of api.js, or null), own (OwnMembership), userId, moderation, `opened(dialog)` to
   * show one.
   */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#dialog = this.#at("members-dialog");
    this.#dialog.querySelector("[data-closes]").addEventListener("click", () => this.#dialog.close());
    this.#at("more-members").addEventListener("click", () => this.#load(this.#people.at(-1).id));
    this.#at("members").addEventListener("click", ({ target }) => this.#clicked(target.closest("button")));
  }

  /** Whether anybody can say who is in a room. */
  get isPossible() {
    return this.#parts.rooms !== null;
  }

  /** Show the members of a room. */
  open(roomId) {
    if (this.#room !== roomId) [this.#people, this.#banned] = [null, []];
    this.#room = roomId;
    this.#dialog.querySelector(".wrong").hidden = true;
    this.#parts.opened(this.#dialog);
    this.paint();
    this.#load();
  }

  close() {
    this.#parts.moderation.close();
    if (this.#dialog.open) this.#dialog.close();
  }

  /** Follow the next event of a room. */
  heard(roomId, { action }) {
    if (this.#dialog.open && roomId === this.#room && CHANGES.has(action)) this.#load();
  }

  paint() {
    if (!this.#dialog.open) return;
    const { own, userId } = this.#parts;
    const { role } = own.get(this.#room);
    const { activeElement } = this.#root;
    patch(this.#at("members"), [...(this.#people ?? []), ...this.#banned].map((person) => memberRow(person, role, userId)));
    if (activeElement && !activeElement.isConnected) this.#dialog.querySelector("[data-closes]").focus();
    setText(this.#at("no-members"), gettext("Loading…"));
    this.#at("no-members").hidden = this.#people !== null;
    this.#at("more-members").hidden = !this.#hasMore;
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  /** Ask for all that are shown, page by page, or for the page behind somebody. */
  async #load(after = null) {
    const turn = (this.#turn = {});
    const wrong = this.#dialog.querySelector(".wrong");
    const wanted = after === null ? Math.max(PAGE, this.#people?.length ?? 0) : this.#people.length + PAGE;
    try {
      const found = after === null ? [] : [...this.#people];
      let page;
      do {
        page = await this.#parts.rooms.members(this.#room, { after: found.at(-1)?.id ?? 0 });
        if (turn !== this.#turn) return;
        found.push(...page);
      } while (page.length === PAGE && found.length < wanted);
      const banned = await this.#bans();
      if (turn !== this.#turn) return;
      [this.#people, this.#banned] = [found, banned];
      this.#hasMore = page.length === PAGE;
      wrong.hidden = true;
    } catch (error) {
      if (turn !== this.#turn) return;
      this.#people ??= [];
      setText(wrong, error.message);
      wrong.hidden = false;
    }
    this.paint();
  }

  /** Return who is banned, to those who may know it. */
  async #bans() {
    const { own, rooms } = this.#parts;
    if (!own.isAtLeast(this.#room, "admin")) return [];
    const bans = await rooms.bans(this.#room).catch(() => []);
    return bans.map(({ user, until }) => ({ ...user, role: "member", isBanned: true, until }));
  }

  #clicked(button) {
    const person = button && [...this.#people, ...this.#banned].find(({ id }) => id === Number(button.dataset.member));
    if (person) this.#parts.moderation.open(this.#room, person);
  }
}

function memberRow(person, role, userId) {
  const build = () => {
    const button = el("button", { type: "button", ariaLabel: gettext("Change {name}", { name: plain(person.username) }) }, gettext("Change…"));
    button.dataset.member = person.id;
    return el("li", {}, el("span", { className: "who" }, nameEl(person.username), " ", el("small")), button);
  };
  const update = (row) => {
    setText(row.querySelector("small"), memberFacts(person));
    row.lastElementChild.hidden = rolesToGive(role, person).length === 0 && !mayModerate(role, person, userId);
  };
  return { key: `${person.isBanned ? "banned" : "member"} ${person.id}`, build, update };
}

/** Return what there is to be known of a member: role and mute; or of somebody banned, its end. */
export function memberFacts({ role, muted, muted_until: until, isBanned, until: banEnd }) {
  if (isBanned) return banEnd === null ? gettext("banned") : gettext("banned until {until}", { until: timeText(banEnd) });
  if (!muted) return roleName(role);
  const isMuted = until === null ? gettext("muted") : gettext("muted until {until}", { until: timeText(until) });
  return `${roleName(role)}, ${isMuted}`;
}

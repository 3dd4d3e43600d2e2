// Rows of the chat page: from messages and events to DOM nodes, each with a key. Pure but for making nodes.
//
// Texts become text nodes, never markup; what others chose stands in elements that isolate its direction.

import { bare } from "./names.js";
import { setText } from "./patch.js";
import { gettext, gettext_noop, locale } from "./texts.js";

const COLOURS = 8; // classes colour-0 … colour-7 of chat.css
const GROUP_MS = 5 * 60_000; // one author's messages within this stand under one name
const NOTES = {
  create_room: gettext_noop("{who} made the room {room}"),
  rename_room: gettext_noop("{who} renamed the room {room}"),
  archive_room: gettext_noop("{who} archived the room"),
  restore_room: gettext_noop("{who} opened the room again"),
  invite_user: gettext_noop("{who} invited {whom}"),
  remove_user: gettext_noop("{who} removed {whom}"),
  leave_room: gettext_noop("{who} left"),
};

/** Return an element; children are nodes or texts, never markup. */
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== ""));
  return node;
}

/** Return a name that others chose. */
export function nameEl(name, properties = {}) {
  return el("bdi", properties, bare(name));
}

/** Return the row of a button in the log; `text` may change. */
export function buttonRow(key, text, onclick) {
  return { key, build: () => el("button", { type: "button", className: "more", onclick }), update: (node) => setText(node, text) };
}

/** Return the rows of lines, with days and the divider between them; `id` keeps rooms and epochs apart. */
export function lineRows(id, lines, userId, dividerAfter, avatars) {
  const rows = [];
  let previous = null;
  let isDivided = dividerAfter === null;
  for (const line of lines) {
    if (!line.note && !(previous && sameDay(line.timestamp_ms, previous.timestamp_ms))) rows.push(dayRow(id, line.timestamp_ms));
    if (!isDivided && line.seq > dividerAfter) {
      rows.push({ key: `${id}:divider`, build: () => el("div", { className: "divider", role: "separator" }, el("span", {}, gettext("New"))) });
      isDivided = true;
    }
    rows.push(line.note ? noteRow(id, line) : messageRow(id, line, previous, userId, avatars));
    previous = line.note ? previous : line;
  }
  return rows;
}

/** Return the row of an own message that has no place in the log yet: `fate` is what becomes of it. */
export function ownRow({ uuid, text }, className, fate, actions = []) {
  const build = () => {
    const state = el("small", { className: "fate" }, el("span"), ...actions.map(([label, onclick]) => el("button", { type: "button", onclick }, label)));
    return el("div", { className: `message own follows ${className}` }, textEl(text), state);
  };
  const key = `${className}:${uuid}:${actions.map(([label]) => label)}`;
  return { key, build, update: (node) => setText(node.querySelector(".fate span"), fate) };
}

function messageRow(id, message, previous, userId, avatars) {
  const { seq, user, timestamp_ms: time } = message;
  const isFollowing = previous?.user.id === user.id && time - previous.timestamp_ms < GROUP_MS && sameDay(time, previous.timestamp_ms);
  const build = () => {
    const author = el("div", { className: "author" }, avatar(user), nameEl(user.username, { className: "name" }), clock(time));
    const node = el("div", { title: new Date(time).toLocaleString(locale()) }, author, textEl(""));
    node.dataset.seq = seq;
    return node;
  };
  return { key: `${id}:${seq}`, build, update: (node) => updateMessage(node, message, isFollowing, user.id === userId, avatars) };
}

function updateMessage(node, { user, text, deleted, edited_at: editedAt }, isFollowing, isOwn, avatars) {
  const className = `message${isOwn ? " own" : ""}${isFollowing ? " follows" : ""}`;
  if (node.className !== className) node.className = className;
  if (!isFollowing) showPicture(node.querySelector(".avatar"), avatars.of(user.id));
  const box = node.lastElementChild;
  box.classList.toggle("deleted", deleted);
  box.classList.toggle("edited", Boolean(editedAt) && !deleted);
  box.dataset.edited = gettext("(edited)");
  setText(box.firstElementChild, deleted ? gettext("Message deleted") : text);
}

function textEl(text) {
  return el("div", { className: "text", dir: "auto" }, el("bdi", {}, text));
}

function noteRow(id, { seq, note }) {
  const build = () => {
    const node = el("div", { className: "note" }, ...noteWords(note));
    node.dataset.seq = seq;
    return node;
  };
  return { key: `${id}:${seq}`, build };
}

function noteWords({ action, user, member, name }) {
  if (!NOTES[action]) return [action];
  const names = { who: nameEl(user.username), whom: nameEl(member?.username ?? ""), room: nameEl(name ?? "") };
  return gettext(NOTES[action]).split(/\{(\w+)\}/).map((part, place) => (place % 2 ? names[part] : part));
}

function dayRow(id, time) {
  const date = new Date(time).toLocaleDateString(locale(), { weekday: "long", day: "numeric", month: "long" });
  return { key: `${id}:${new Date(time).toDateString()}`, build: () => el("div", { className: "note date" }, date) };
}

function avatar({ id, username }) {
  return el("span", { className: `avatar colour-${id % COLOURS}`, ariaHidden: "true" }, ([...bare(username)][0] ?? "?").toUpperCase());
}

/** Put a picture over somebody's initial; one that can't be loaded leaves it as it is. */
function showPicture(box, address) {
  if (!address || box.dataset.picture === address) return;
  box.dataset.picture = address;
  const onerror = ({ target }) => target.remove();
  box.append(el("img", { referrerPolicy: "no-referrer", alt: "", onerror, src: address }));
}

function clock(time) {
  return el("time", {}, new Date(time).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" }));
}

function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

// Rows of the chat page: from messages and events to DOM nodes, each with a key. Pure but for making nodes.
//
// Texts become nodes by markdown.js alone, or stay texts; what others chose stands in elements that isolate its direction.

import { showFiles } from "./file_rows.js";
import { markdown } from "./markdown.js";
import { bare, plain } from "./names.js";
import { el } from "./nodes.js";
import { patch, setClass, setText } from "./patch.js";
import { roleName } from "./roles.js";
import { gettext, gettext_noop, timeFormat } from "./texts.js";
import { isMeant } from "./unread_mentions.js";

const COLOURS = 8; // classes colour-0 … colour-7 of chat.css
const GROUP_MS = 5 * 60_000; // one author's messages within this stand under one name
const NOTES = {
  create_room: gettext_noop("{who} made the room {room}"),
  rename_room: gettext_noop("{who} renamed the room {room}"),
  set_topic: gettext_noop("{who} set the topic: {topic}"),
  set_receipts: gettext_noop("{who} turned read receipts on"),
  archive_room: gettext_noop("{who} archived the room"),
  restore_room: gettext_noop("{who} opened the room again"),
  set_discoverable: gettext_noop("{who} opened the room to everybody"),
  join_room: gettext_noop("{who} joined"),
  invite_user: gettext_noop("{who} invited {whom}"),
  remove_user: gettext_noop("{who} removed {whom}"),
  leave_room: gettext_noop("{who} left"),
  set_role: gettext_noop("{who} gave {whom} the role {role}"),
  mute_user: gettext_noop("{who} muted {whom}"),
  unmute_user: gettext_noop("{who} unmuted {whom}"),
  ban_user: gettext_noop("{who} banned {whom}"),
  unban_user: gettext_noop("{who} lifted the ban of {whom}"),
  pin_message: gettext_noop("{who} pinned a message"),
  unpin_message: gettext_noop("{who} unpinned a message"),
};
const NOTES_WITH_END = {
  mute_user: gettext_noop("{who} muted {whom} until {until}"),
  ban_user: gettext_noop("{who} banned {whom} until {until}"),
};
const NO_TOPIC = gettext_noop("{who} removed the topic");
const NOT_DISCOVERABLE = gettext_noop("{who} closed the room to strangers");
const NO_RECEIPTS = gettext_noop("{who} turned read receipts off");

const clockText = timeFormat({ hour: "2-digit", minute: "2-digit" });
const dayText = timeFormat({ weekday: "long", day: "numeric", month: "long" });
const preciseText = timeFormat({ year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" });
const endText = timeFormat({ dateStyle: "medium", timeStyle: "short" });
const shown = new WeakMap(); // box of a message → the text that it shows
const UNPIN = gettext_noop("Unpin message");
const PIN = "M5.5 2.5h5M6.5 2.5v4.3L4.5 9.5h7L9.5 6.8V2.5M8 9.5v4.5";
const ACTIONS = {
  react: { label: gettext_noop("React"), lines: "M14 8A6 6 0 1 1 2 8a6 6 0 0 1 12 0M5.3 9.6c1.2 1.9 4.2 1.9 5.4 0M6 5.8v.9M10 5.8v.9" },
  reply: { label: gettext_noop("Reply"), lines: "M6.5 3.5l-4 4 4 4M2.5 7.5H9c3 0 4.5 2 4.5 5" },
  edit: { label: gettext_noop("Edit message"), lines: "M2.5 13.5l.7-3.2 7.6-7.6 2.5 2.5-7.6 7.6zM9.3 4.2l2.5 2.5" },
  pin: { label: gettext_noop("Pin message"), lines: PIN },
  link: { label: gettext_noop("Copy link"), lines: "M6.5 9.5l3-3M7.5 4.5l1.8-1.8a2.8 2.8 0 0 1 4 4L11.5 8.5M8.5 11.5l-1.8 1.8a2.8 2.8 0 0 1-4-4L4.5 7.5" },
  report: { label: gettext_noop("Report message"), lines: "M3.5 14V2.5M3.5 3h8.2l-2 3 2 3H3.5" },
  delete: { label: gettext_noop("Delete message"), lines: "M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.6 9h6.8l.6-9M6.7 7v4M9.3 7v4" },
};

/** Return a name that others chose. */
export function nameEl(name, properties = {}) {
  return el("bdi", properties, bare(name));
}

/** Return the row of a button in the log; `text` may change. */
export function buttonRow(key, text, onclick) {
  return { key, build: () => el("button", { type: "button", className: "more", onclick }), update: (node) => setText(node, text) };
}

/** Return the row of a sentence where there is nothing else to show. */
export function sentenceRow(key, sentence) {
  return { key, build: () => el("p", { className: "note" }, sentence) };
}

/**
 * Return the rows of lines, with days and the divider between them; `id` keeps rooms and epochs apart, `facts` are
 * userId, avatars, `standing(message)` of message_actions.js, `quote(message)`: that of quotes.js, or null, and
 * `addressOf(id)` of a file, `isHidden(message)` and `reveal(seq)` of those whose author is blocked.
 */
export function lineRows(id, lines, dividerAfter, facts) {
  const rows = [];
  let previous = null;
  let isDivided = dividerAfter === null;
  for (const line of lines) {
    if (!line.note && !(previous && sameDay(line.timestamp_ms, previous.timestamp_ms))) rows.push(dayRow(id, line.timestamp_ms));
    if (!isDivided && line.seq > dividerAfter) {
      rows.push({ key: `${id}:divider`, build: () => el("div", { className: "divider", role: "separator" }, el("span", {}, gettext("New"))) });
      isDivided = true;
    }
    const isHidden = !line.note && facts.isHidden(line);
    rows.push(line.note ? noteRow(id, line) : isHidden ? hiddenRow(id, line, facts.reveal) : messageRow(id, line, previous, facts));
    if (!line.note) previous = isHidden ? null : line;
  }
  return rows;
}

/** Return the row of an own message that has no place in the log yet: `quote` is what it replies to, `fate` what becomes of it. */
export function ownRow({ uuid, text, files, addressOf }, quote, className, fate, actions = []) {
  const build = () => {
    const state = el("small", { className: "fate" }, el("span"), ...actions.map(([label, onclick]) => el("button", { type: "button", onclick }, label)));
    return el("div", { className: `message own follows ${className}` }, showText(textEl(), text), state);
  };
  const key = `${className}:${uuid}:${actions.map(([label]) => label)}`;
  const update = (node) => {
    const box = node.querySelector(".text");
    showQuote(node, quote, box, "div");
    showFiles(node, files, addressOf, box);
    setText(node.querySelector(".fate span"), fate);
  };
  return { key, build, update };
}

function hiddenRow(id, { seq, timestamp_ms: time }, reveal) {
  const build = () => {
    const button = el("button", { type: "button", onclick: () => reveal(seq) }, gettext("Show"));
    const node = el("div", { className: "note", title: preciseText(time) }, gettext("A message of somebody you blocked."), " ", button);
    node.dataset.seq = seq;
    return node;
  };
  return { key: `${id}:${seq}:hidden`, build };
}

function messageRow(id, message, previous, facts) {
  const { seq, user, timestamp_ms: time } = message;
  const isFollowing = previous?.user.id === user.id && time - previous.timestamp_ms < GROUP_MS && sameDay(time, previous.timestamp_ms);
  const build = () => {
    const author = el("div", { className: "author" }, avatar(user), nameEl(user.username, { className: "name" }), clock(time));
    const node = el("div", { title: preciseText(time) }, author, Object.assign(textEl(), { id: `text-${seq}` }));
    node.dataset.seq = seq;
    return node;
  };
  return { key: `${id}:${seq}`, build, update: (node) => updateMessage(node, message, isFollowing, facts) };
}

function updateMessage(node, message, isFollowing, { userId, avatars, standing, quote, addressOf }) {
  const { seq, user, deleted, edited_at: editedAt, attachments = [] } = message;
  const { text, fate, isGoing, isEditing, isPinned, does, reactions } = standing(message);
  const states = { own: user.id === userId, follows: isFollowing, waiting: fate, going: isGoing, editing: isEditing, mentioned: isMeant(userId, message) };
  const className = ["message", ...Object.keys(states).filter((name) => states[name])].join(" ");
  if (node.className !== className) node.className = className;
  if (!isFollowing) showPicture(node.querySelector(".avatar"), avatars.get(user.id)?.avatar);
  const box = node.querySelector(".text");
  setClass(box, "deleted", Boolean(deleted));
  showQuote(node, quote(message), box, "button");
  showFiles(node, deleted ? [] : attachments, addressOf, box);
  showText(box, deleted ? gettext("Message deleted") : text);
  const time = editedAt && !deleted ? preciseText(editedAt) : "";
  showPart(box, ".edited", time, () => el("small", { className: "edited" }, gettext("(edited)")), (mark) => (mark.title = time));
  showPart(box, ".pinned", isPinned ? "yes" : "", () => el("small", { className: "pinned" }, icon(PIN), gettext("Pinned")));
  showActions(node, seq, does, isPinned, box);
  showReactions(node, reactions);
  showPart(node, ".fate", fate, () => el("small", { className: "fate" }), (line) => setText(line, fate));
}

/**
 * Have a part of a row, or none where `value` is empty; another value is shown by `update`, else by another part. It
 * stands behind `previous`, or last.
 */
function showPart(parent, selector, value, build, update = null, previous = parent.lastChild) {
  let part = parent.querySelector(selector);
  if (part && part.dataset.value === value) return;
  if (part && (!value || !update)) part.remove();
  if (!value) return;
  if (!part || !update) {
    part = build();
    previous.after(part);
  }
  part.dataset.value = value;
  update?.(part);
}

/** Have a quote in front of a reply's text, which leads to its message if it is a button; its words change with that message. */
function showQuote(node, quote, box, tag) {
  let part = node.querySelector(".quote");
  if (!quote) return part?.remove();
  if (!part) {
    part = el(tag, { className: "quote" }, el("bdi", { className: "who" }), el("bdi", { className: "words", dir: "auto" }));
    if (tag === "button") Object.assign(part, { type: "button", tabIndex: -1, title: gettext("Go to the message") }).dataset.does = "quoted";
    (node.querySelector(".files") ?? box).before(part);
  }
  const [who, words] = part.children;
  setText(who, bare(quote.name));
  setText(words, quote.text);
  setClass(words, "deleted", Boolean(quote.isQuiet));
  const label = quote.name ? gettext("In reply to {name}: {text}", { name: plain(quote.name), text: plain(quote.text) }) : gettext("In reply to an earlier message");
  if (tag === "button" && part.ariaLabel !== label) part.ariaLabel = label;
}

/** Have a message's buttons behind its text; a button that stays keeps the focus. */
function showActions(node, seq, does, isPinned, box) {
  const { activeElement } = node.getRootNode();
  const focused = node.contains(activeElement) ? activeElement.dataset.does : null;
  showPart(node, ".actions", does.join(" "), () => actions(seq, does), null, box);
  if (focused && !activeElement.isConnected) node.querySelector(`.actions [data-does="${focused}"]`)?.focus({ preventScroll: true });
  const pin = node.querySelector('[data-does="pin"]');
  const label = gettext(isPinned ? UNPIN : ACTIONS.pin.label);
  if (pin && pin.title !== label) Object.assign(pin, { title: label, ariaLabel: label });
}

/** Return the buttons of a message; who presses one is heard by the log. */
function actions(seq, does) {
  const buttons = does.map((name) => {
    const button = el("button", { type: "button", tabIndex: -1, title: gettext(ACTIONS[name].label), ariaLabel: gettext(ACTIONS[name].label) }, icon(ACTIONS[name].lines));
    button.setAttribute("aria-describedby", `text-${seq}`);
    button.dataset.does = name;
    return button;
  });
  return el("span", { className: "actions" }, ...buttons);
}

/** Show a message's reactions, without a word to screen readers: nothing new was said. */
function showReactions(node, reactions) {
  const { activeElement } = node.getRootNode();
  const previous = node.querySelector(".actions") ?? node.querySelector(".text");
  showPart(node, ".reactions", reactions.length > 0 ? "some" : "", () => el("div", { className: "reactions", ariaLive: "off" }), null, previous);
  const box = node.querySelector(".reactions");
  if (box) patch(box, reactions.map((reaction) => reactionRow(reaction)));
  const isLost = activeElement?.dataset.does === "toggle" && !activeElement.isConnected;
  if (isLost && node.isConnected) (box?.lastElementChild ?? node.querySelector("[data-does]") ?? node.parentElement).focus({ preventScroll: true });
}

function reactionRow(reaction) {
  const { emoji, count, mine, isWaiting, canToggle } = reaction;
  const build = () => {
    const button = el("button", { type: "button", tabIndex: -1 }, el("bdi", {}, emoji), " ", el("span"));
    Object.assign(button.dataset, { does: "toggle", emoji });
    return button;
  };
  const update = (button) => {
    setText(button.lastElementChild, String(count));
    const label = reactionText(reaction);
    const states = { title: label, ariaLabel: label, ariaPressed: String(mine), ariaDisabled: String(!canToggle), className: isWaiting ? "pending" : "" };
    for (const [name, value] of Object.entries(states)) if (button[name] !== value) button[name] = value;
  };
  return { key: emoji, build, update };
}

/** Return whose reactions they are: of the first by name. */
function reactionText({ emoji, count, users }) {
  const names = users.map(({ username }) => plain(username)).join(", ");
  const number = count - users.length;
  const values = { names, number };
  const all = number === 1 ? gettext("{names} and 1 other", values) : gettext("{names} and {number} others", values);
  return names ? `${plain(emoji)} ${count}: ${number > 0 ? all : names}` : `${plain(emoji)} ${count}`;
}

function icon(lines) {
  const [picture, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  picture.setAttribute("viewBox", "0 0 16 16");
  picture.setAttribute("aria-hidden", "true");
  path.setAttribute("d", lines);
  picture.append(path);
  return picture;
}

function textEl() {
  return el("div", { className: "text", dir: "auto" }, el("bdi"));
}

/** Have a text's nodes in such a box, and return it; they stay as long as the text is the same. */
function showText(box, text) {
  if (shown.get(box) === text) return box;
  shown.set(box, text);
  box.firstElementChild.replaceChildren(markdown(text));
  return box;
}

function noteRow(id, { seq, note }) {
  const build = () => {
    const node = el("div", { className: "note" }, ...noteWords(note));
    node.dataset.seq = seq;
    return node;
  };
  return { key: `${id}:${seq}`, build };
}

function noteWords({ action, user, member, name, topic, discoverable, receipts, until }) {
  if (!NOTES[action]) return [action];
  const names = { who: nameEl(user.username), whom: nameEl(member?.username ?? ""), room: nameEl(name ?? ""), topic: nameEl(topic ?? ""), role: roleName(member?.role ?? ""), until: until ? timeText(until) : "" };
  const words = (until && NOTES_WITH_END[action]) || (topic === "" && NO_TOPIC) || (discoverable === false && NOT_DISCOVERABLE) || (receipts === false && NO_RECEIPTS) || NOTES[action];
  return gettext(words).split(/\{(\w+)\}/).map((part, place) => (place % 2 ? names[part] : part));
}

function dayRow(id, time) {
  return { key: `${id}:${new Date(time).toDateString()}`, build: () => el("div", { className: "note date" }, dayText(time)) };
}

/** Return somebody's initial, which a picture may cover. */
export function avatar({ id, username }) {
  return el("span", { className: `avatar colour-${id % COLOURS}`, ariaHidden: "true" }, ([...bare(username)][0] ?? "?").toUpperCase());
}

/** Put a picture over somebody's initial; one that can't be loaded leaves it as it is. */
export function showPicture(box, address) {
  if (!address || box.dataset.picture === address) return;
  box.dataset.picture = address;
  const onerror = ({ target }) => target.remove();
  box.append(el("img", { referrerPolicy: "no-referrer", alt: "", onerror, src: address }));
}

/** Return a row for patch.js that is somebody's picture. */
export function pictureRow(person) {
  return { key: `person-${person.id}`, build: () => avatar(person), update: (box) => showPicture(box, person.avatar) };
}

/** Return a time in epoch seconds as people write it. */
export function timeText(seconds) {
  return endText(seconds * 1000);
}

function clock(time) {
  return el("time", {}, clockText(time));
}

function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

// Lines of the chat page: from messages and events to DOM nodes. Pure but for making nodes.

const COLOURS = 8; // classes colour-0 … colour-7 of chat.css
const GROUP_MS = 5 * 60_000; // one author's messages within this stand under one name

/** Return an element; children are nodes or texts, never markup. */
export function el(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children.filter((child) => child !== ""));
  return node;
}

/** Return a message, without its author's name where it follows another of the same. */
export function messageLines(message, previous, ownId) {
  const { user, text, timestamp_ms: time, deleted, edited_at: editedAt } = message;
  const isOwn = String(user.id) === ownId;
  const follows = previous?.user.id === user.id && time - previous.timestamp_ms < GROUP_MS && sameDay(time, previous.timestamp_ms);
  const head = follows ? "" : el("div", { className: "author" }, avatar(user), el("b", {}, user.username), clock(time));
  const body = el("div", { className: deleted ? "text deleted" : "text" }, deleted ? "Message deleted" : text);
  if (editedAt && !deleted) body.append(el("small", {}, " (edited)"));
  return el("div", { className: `message${isOwn ? " own" : ""}${follows ? " follows" : ""}`, title: new Date(time).toLocaleString() }, head, body);
}

/** Return the line of an event that is no message. */
export function noteLine({ action, user, member, name }) {
  const words = {
    create_room: `${user.username} made the room ${name ?? ""}`,
    invite_user: `${user.username} invited ${member?.username}`,
    remove_user: `${user.username} removed ${member?.username}`,
    leave_room: `${user.username} left`,
  };
  return el("div", { className: "note" }, words[action] ?? action);
}

/** Return the line between two days, or nothing. */
export function dateLine(line, previous) {
  if (line.note || (previous && sameDay(line.timestamp_ms, previous.timestamp_ms))) return "";
  const date = new Date(line.timestamp_ms).toLocaleDateString(undefined, { weekday: "long", day: "numeric", month: "long" });
  return el("div", { className: "note date" }, date);
}

/** Return an own message that is under way, or that was refused with `message`. */
export function waitingLine({ text }, message = "", onRepeat = null, onDiscard = null) {
  const state = el("small", { className: "fate" }, message ? `Not sent: ${message} ` : "Sending…");
  if (message) {
    state.append(el("button", { type: "button", onclick: onRepeat }, "Send again"), el("button", { type: "button", onclick: onDiscard }, "Discard"));
  }
  return el("div", { className: `message own follows ${message ? "refused" : "waiting"}` }, el("div", { className: "text" }, text), state);
}

function avatar({ id, username }) {
  return el("span", { className: `avatar colour-${id % COLOURS}`, ariaHidden: "true" }, [...username][0].toUpperCase());
}

function clock(time) {
  return el("time", {}, new Date(time).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" }));
}

function sameDay(one, other) {
  return new Date(one).toDateString() === new Date(other).toDateString();
}

// The chat page: what people see of a Roomlog client, in plain DOM.
//
// The last stage of a message's way. It keeps what is shown and nothing else; texts become text nodes, never
// markup. The page's structure stands in the template chat.html.

import { findUsers, getTicket } from "./api.js";
import { Roomlog } from "./roomlog.js";
import { dateLine, el, messageLines, noteLine, waitingLine } from "./view.js";

const MAX_SHOWN = 500; // messages kept of one room; older ones are loaded again when asked for
const MAX_TEXT = 4_000; // code points, the server's limit
const HISTORY = 50; // messages loaded at once
const NEAR_END_PX = 80; // who is so close to the end wants to stay there

const { userId, websocketUrl } = document.body.dataset;
const at = (id) => document.getElementById(id);
const client = new Roomlog({
  url: websocketUrl || `${location.origin.replace(/^http/, "ws")}/ws`,
  ticket: getTicket,
  userId: Number(userId),
  storage: localStorage,
  storagePrefix: `roomlog-outbox-${userId}:`,
});

const READ_KEY = `roomlog-read-${userId}`;
const read = JSON.parse(localStorage.getItem(READ_KEY) ?? "{}"); // room id → the last seq seen
const shown = new Map(); // room id → {lines, isWhole}; a line is an event's message or note
const refused = new Map(); // room id → [{command, message}]
let selected = null; // room id
let made = null; // uuid of the create_room whose room is to be shown, then the room's id

// -- what the client tells ------------------------------------------------------------------------

client.addEventListener("state", ({ detail }) => showState(detail));
client.addEventListener("rooms", () => {
  for (const { id, seq, unread } of client.rooms.values()) read[id] ??= seq - unread;
  if (selected && !client.rooms.has(selected)) select(null);
  if (client.rooms.has(made)) showMade();
  if (!selected && client.rooms.size && wide.matches) select(client.rooms.keys().next().value);
  render();
});
client.addEventListener("snapshot", ({ detail: { room, messages } }) => {
  shown.set(room.id, { lines: messages, isWhole: messages.length < 20 });
  render();
});
client.addEventListener("event", ({ detail: { room, event } }) => {
  const view = shown.get(room.id);
  if (view) {
    view.lines.push(event.message ?? { note: event, seq: event.seq });
    if (view.lines.length > MAX_SHOWN) Object.assign(view, { lines: view.lines.slice(-MAX_SHOWN), isWhole: false });
  }
  render();
});
client.addEventListener("settled", ({ detail: { command, event } }) => {
  if (command.uuid === made) made = event.room;
  if (client.rooms.has(made)) showMade(); // else with its room_joined
  render();
});
client.addEventListener("refused", ({ detail: { command, message } }) => {
  if (command.action !== "new_message") return say(message);
  refused.set(command.room, [...(refused.get(command.room) ?? []), { command, message }]);
  render();
});
client.addEventListener("outbox", () => render());

// -- what people do -------------------------------------------------------------------------------

const wide = matchMedia("(min-width: 48rem)");

function select(roomId) {
  selected = roomId;
  document.body.classList.toggle("in-room", roomId !== null);
  const room = client.rooms.get(roomId);
  if (room && !room.isOpen) client.open(roomId);
  at("text").disabled = at("send").disabled = roomId === null;
  if (roomId && wide.matches) at("text").focus();
  render({ toEnd: true });
}

function showMade() {
  select(made);
  made = null;
}

function sendText() {
  const text = at("text").value;
  if (!text.trim() || !selected) return;
  if ([...text].length > MAX_TEXT) return say("A message has at most 4,000 characters.");
  try {
    client.send("new_message", { room: selected, text });
  } catch (error) {
    return say(`Not sent: ${error.message}.`);
  }
  at("text").value = "";
  render({ toEnd: true });
}

async function loadEarlier() {
  const roomId = selected;
  const view = shown.get(roomId);
  const first = view.lines.find((line) => !line.note);
  try {
    const before = first ? { before: first.seq } : {};
    const answer = await client.request("get_history", { room: roomId, limit: HISTORY, ...before });
    if (shown.get(roomId) !== view) return;
    view.lines.unshift(...answer.room_messages);
    view.isWhole = answer.room_messages.length < HISTORY;
    const from = at("messages").scrollHeight - at("messages").scrollTop;
    paint();
    at("messages").scrollTop = at("messages").scrollHeight - from;
  } catch (error) {
    say(`Earlier messages could not be loaded: ${error.message}.`);
  }
}

async function userIds(names) {
  const found = await Promise.all(names.map(async (name) => [name, await findUsers(name)]));
  return found.map(([name, people]) => {
    const person = people.find(({ username }) => username === name);
    if (!person) throw new Error(`Nobody is called ${name}`);
    return person.id;
  });
}

function onSubmit(formId, carryOut) {
  at(formId).addEventListener("submit", async (submit) => {
    submit.preventDefault();
    const fields = Object.fromEntries(new FormData(submit.target));
    try {
      await carryOut(fields);
      submit.target.reset();
      submit.target.closest("dialog")?.close();
    } catch (error) {
      say(`${error.message}.`);
    }
  });
}

onSubmit("composer", sendText);
onSubmit("new-room", async ({ name, people }) => {
  const names = people.split(",").map((one) => one.trim()).filter(Boolean);
  made = client.send("create_room", { name: name.trim(), kind: "group", members: await userIds(names) });
});
onSubmit("invite", async ({ person }) => {
  const [user] = await userIds([person.trim()]);
  client.send("invite_user", { room: selected, user });
});
at("person").addEventListener("input", async ({ target }) => {
  const people = await findUsers(target.value).catch(() => []);
  at("people").replaceChildren(...people.map(({ username }) => el("option", { value: username })));
});
at("text").addEventListener("keydown", (key) => {
  if (key.key !== "Enter" || key.shiftKey || key.isComposing) return;
  key.preventDefault();
  sendText();
});
at("back").addEventListener("click", () => select(null));
for (const button of document.querySelectorAll("[data-opens]")) {
  button.addEventListener("click", () => at(button.dataset.opens).showModal());
}
for (const button of document.querySelectorAll("[data-closes]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}
document.addEventListener("visibilitychange", () => render());

// -- what is shown --------------------------------------------------------------------------------

let painting = null;
let goToEnd = false;

/** Paint soon, once for all that happens until then. */
function render({ toEnd = false } = {}) {
  goToEnd ||= toEnd;
  painting ??= setTimeout(() => {
    painting = null;
    paint();
  });
}

function paint() {
  if (selected && !document.hidden) markRead(selected);
  at("rooms").replaceChildren(...[...client.rooms.values()].map(roomLine));
  const room = client.rooms.get(selected);
  at("room-name").textContent = room ? nameOf(room) : "Choose a room";
  at("invite-button").hidden = room?.kind !== "group";
  const box = at("messages");
  const isNearEnd = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END_PX;
  box.replaceChildren(...(room ? roomLines(room.id) : []).filter((node) => node !== ""));
  if (goToEnd || isNearEnd) box.scrollTop = box.scrollHeight;
  goToEnd = false;
}

function markRead(roomId) {
  const seq = client.rooms.get(roomId)?.seq;
  if (seq === undefined || read[roomId] === seq) return;
  read[roomId] = seq;
  localStorage.setItem(READ_KEY, JSON.stringify(read));
}

function roomLine(room) {
  const unread = Math.max(0, room.seq - read[room.id]);
  return el(
    "button",
    { type: "button", className: "room", ariaCurrent: room.id === selected ? "true" : "false", onclick: () => select(room.id) },
    el("span", { className: "room-title" }, nameOf(room)),
    unread && room.id !== selected ? el("span", { className: "unread", title: "unread" }, unread > 99 ? "99+" : unread) : "",
  );
}

function roomLines(roomId) {
  const { lines, isWhole } = shown.get(roomId) ?? { lines: [], isWhole: true };
  const nodes = isWhole ? [] : [el("button", { type: "button", className: "earlier", onclick: loadEarlier }, "Earlier messages")];
  let previous = null;
  for (const line of lines) {
    nodes.push(dateLine(line, previous), line.note ? noteLine(line.note) : messageLines(line, previous, userId));
    previous = line.note ? previous : line;
  }
  const waiting = client.outbox.filter(({ action, room }) => action === "new_message" && room === roomId);
  nodes.push(...waiting.map((command) => waitingLine(command)));
  nodes.push(...(refused.get(roomId) ?? []).map((entry) => waitingLine(entry.command, entry.message, () => forget(entry, true), () => forget(entry))));
  return nodes;
}

function forget(entry, isRepeated = false) {
  const { room, text } = entry.command;
  refused.set(room, refused.get(room).filter((other) => other !== entry));
  if (isRepeated) client.send("new_message", { room, text });
  render();
}

function showState({ state, code, reason }) {
  const words = {
    connecting: "Connecting…",
    online: "Online",
    degraded: "Degraded: messages wait",
    waiting: "Connection lost, trying again…",
    ended: code === 4403 ? "Access was revoked" : reason === "signed out" ? "Signed out: reload to log in" : "Disconnected",
  };
  at("state").textContent = words[state];
  at("state").dataset.state = state;
  render();
}

let silence = null;

function say(text) {
  at("notice").textContent = text;
  at("notice").hidden = false;
  clearTimeout(silence);
  silence = setTimeout(() => (at("notice").hidden = true), 6_000);
}

function nameOf({ name, kind }) {
  return name || (kind === "direct" ? "Direct chat" : "Unnamed room");
}

client.start();

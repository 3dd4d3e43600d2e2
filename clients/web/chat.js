// The chat page: what people see of a Roomlog client, in plain DOM.
//
// The last stage of a message's way. Here its parts meet: what the client tells, what people do, and when to
// paint. The page's structure stands in the template chat.html.

import { findUsers, getTicket } from "./api.js";
import { Composer } from "./composer.js";
import { dialogForm } from "./dialogs.js";
import { Drafts } from "./drafts.js";
import { Failed } from "./failed.js";
import { LeftRooms } from "./left_rooms.js";
import { forgetEverybody, Memory, storageNamed } from "./memory.js";
import { plain, roomName } from "./names.js";
import { enterRoom, followHistory, isWide, leaveRoom, roomOfHistory } from "./navigation.js";
import { say } from "./notice.js";
import { MAX_COMMANDS } from "./outbox.js";
import { setText } from "./patch.js";
import { Reading } from "./reading.js";
import { showRooms } from "./room_list.js";
import { Roomlog } from "./roomlog.js";
import { RoomView } from "./room_view.js";
import { isLogout, showState, stateFor } from "./status.js";
import { Timeline } from "./timeline.js";
import { el } from "./view.js";

const SNAPSHOT = 20; // messages of a snapshot: fewer are all there are
const TYPING_MS = 250; // a pause, then people are searched: the server counts searches
const ENDED = "This page's access has ended.";

const at = (id) => document.getElementById(id);
const userId = Number(document.body.dataset.userId);
const memory = new Memory(storageNamed("localStorage"), userId);
const tabMemory = new Memory(storageNamed("sessionStorage"), userId);
for (const kept of [memory, tabMemory]) kept.forgetOthers();
memory.claim(() => client.stop("logged out"));
const client = new Roomlog({
  url: new URL(document.body.dataset.websocketUrl || "ws", location.href.replace(/^http/, "ws")).href,
  ticket: getTicket,
  userId,
  storage: storageNamed("localStorage"),
  storagePrefix: memory.prefix("outbox"),
});
const timeline = new Timeline();
const drafts = new Drafts(tabMemory, memory);
const failed = new Failed(memory, () => render());
const reading = new Reading(memory, userId, () => render());
const left = new LeftRooms();
const composer = new Composer(drafts, sendText);
const view = new RoomView({ client, timeline, reading, failed, userId, repeat, changed: () => render() });
const outcomes = new Map(); // uuid of a command that a dialog waits for → {resolve, reject}
let selected = null; // room id
let made = null; // id of a room that is to be shown when it is there
let told = { state: "connecting" }; // what the client said of its connection last
let isListed = false; // the rooms are known
let searching = null;

// -- what the client tells ------------------------------------------------------------------------

client.addEventListener("state", ({ detail }) => {
  if (detail.state === "ended" && isLogout(detail)) {
    memory.close();
    tabMemory.close();
  }
  if (detail.state === "ended") for (const { reject } of outcomes.values()) reject(new Error(ENDED));
  told = detail;
  render();
});
client.addEventListener("rooms", () => {
  for (const room of client.rooms.values()) reading.met(room);
  left.compare(client.rooms, (id) => timeline.get(id)?.lines.at(-1)?.note, userId);
  left.remember(written());
  if (client.rooms.has(made)) choose(made);
  else if (!isListed) begin();
  isListed = true;
  const room = client.rooms.get(selected);
  if (room && !room.isOpen) client.open(selected); // invited again
  render();
});
client.addEventListener("snapshot", ({ detail: { room, messages } }) => {
  timeline.replace(room.id, room.epoch, messages);
  reading.loaded(room, messages, messages.length < SNAPSHOT);
  render();
});
client.addEventListener("event", ({ detail: { room, event } }) => {
  timeline.append(room.id, event);
  if (room.id !== selected) timeline.trim(room.id, null, null);
  reading.arrived(room.id, event);
  render();
});
client.addEventListener("settled", ({ detail: { command, event } }) => {
  outcomes.get(command.uuid)?.resolve(event);
  render();
});
client.addEventListener("refused", ({ detail: { command, message } }) => {
  if (command.action === "new_message") failed.add({ command, message, name: nameOf(command.room) });
  else if (outcomes.has(command.uuid)) outcomes.get(command.uuid).reject(new Error(message));
  else say(command.name ? `The room ${plain(command.name)} was not made: ${message}` : message);
  render();
});
client.addEventListener("outbox", () => render());

// -- what people do -------------------------------------------------------------------------------

/** Show a room, or the list alone; only people choose, and Back. */
function select(roomId) {
  selected = roomId;
  made = null;
  document.body.classList.toggle("in-room", roomId !== null);
  const room = client.rooms.get(roomId);
  if (room && !room.isOpen) client.open(roomId);
  view.enter(roomId);
  paint();
  if (roomId && isWide()) composer.focus();
}

function choose(roomId) {
  enterRoom(roomId);
  select(roomId);
}

/** Show the room of before a reload; on a desk else the first one. */
function begin() {
  const before = roomOfHistory();
  if (client.rooms.has(before) || left.get(before)) select(before);
  else if (client.rooms.size && isWide()) choose(client.rooms.keys().next().value);
}

function sendText(room, text) {
  if (client.outbox.length + failed.size >= MAX_COMMANDS) {
    throw new Error(`${MAX_COMMANDS} messages wait already. This one stays here until some are sent or discarded.`);
  }
  client.send("new_message", { room, text });
  if (room === selected) view.sent();
  render();
}

/** Send a refused message again; it stays where it is when it can't be taken. */
function repeat(entry) {
  try {
    client.send("new_message", { room: entry.command.room, text: entry.command.text });
    failed.remove(entry);
  } catch {
    say("Too many messages wait. Try again when some are sent.");
  }
  render();
}

/** Send a command that somebody waits for, and return its event; throws the server's sentence. */
async function carryOut(action, fields) {
  if (client.state === "ended") throw new Error(ENDED);
  if (stateFor(client, fields.room ?? null) !== "online") throw new Error("There is no connection right now. Try again when it is back.");
  const uuid = client.send(action, fields);
  try {
    return await new Promise((resolve, reject) => outcomes.set(uuid, { resolve, reject }));
  } finally {
    outcomes.delete(uuid);
  }
}

async function userIds(names) {
  const found = await Promise.all(names.map(async (name) => [name, await findUsers(name)]));
  return found.map(([name, people]) => {
    const person = people.find(({ username }) => username === name.normalize("NFKC"));
    if (!person) throw new Error(`Nobody called ${plain(name)} can be found.`);
    return person.id;
  });
}

dialogForm(at("new-room"), async ({ name, people }, isOpen) => {
  const names = people.split(",").map((one) => one.trim()).filter(Boolean);
  const { room } = await carryOut("create_room", { name: name.trim(), kind: "group", members: await userIds(names) });
  if (!isOpen()) return;
  if (client.rooms.has(room)) choose(room);
  else made = room; // its room_joined follows
});
dialogForm(at("invite"), async ({ person }) => {
  const room = selected;
  const [user] = await userIds([person.trim()]);
  await carryOut("invite_user", { room, user });
});
at("person").addEventListener("input", ({ target }) => {
  clearTimeout(searching);
  searching = setTimeout(async () => {
    const people = await findUsers(target.value).catch(() => []);
    at("people").replaceChildren(...people.map(({ username }) => el("option", { value: username })));
  }, TYPING_MS);
});
at("back").addEventListener("click", leaveRoom);
at("retry").addEventListener("click", () => client.retry());
at("log-out").addEventListener("submit", () => {
  client.stop("logged out");
  forgetEverybody();
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // after a logout, by Back
document.addEventListener("visibilitychange", () => render());
followHistory((roomId) => roomId !== selected && select(roomId));

// -- what is shown --------------------------------------------------------------------------------

let painting = null;

/** Paint soon, once for all that happens until then. */
function render() {
  painting ??= setTimeout(paint);
}

function paint() {
  clearTimeout(painting);
  painting = null;
  const room = roomOf(selected);
  showState({ ...told, state: stateFor(client, selected) });
  setText(at("room-name"), room ? roomName(room) : "Choose a room");
  at("invite-button").hidden = room?.kind !== "group" || Boolean(room.isLeft) || client.state === "ended";
  composer.show(room, room ? closedSentence(room) : "");
  view.paint();
  const rooms = [...client.rooms.values(), ...left.shown(selected, written())];
  const counted = rooms.map((one) => ({ ...one, unread: reading.unread(one.id), isSelected: one.id === selected }));
  showRooms(at("rooms"), counted, choose);
  const unread = counted.reduce((sum, one) => sum + one.unread, 0);
  document.title = unread ? `(${unread}) Roomlog` : "Roomlog";
  const unsent = client.outbox.length + failed.size;
  setText(at("log-out-button"), unsent ? `Log out (${unsent} unsent)` : "Log out");
}

function roomOf(roomId) {
  return client.rooms.get(roomId) ?? left.get(roomId) ?? null;
}

function nameOf(roomId) {
  return roomOf(roomId)?.name ?? "";
}

/** Return the rooms that hold something written: [id, name]. */
function written() {
  return [...drafts.rooms(), ...failed.rooms()];
}

function closedSentence(room) {
  if (client.state === "ended") return "This page's access has ended: nothing more can be sent. Copy what you wrote.";
  return room.isLeft ? `${room.sentence} What you wrote stays here to be copied.` : "";
}

client.start();

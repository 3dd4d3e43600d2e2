// The chat page: conversations that fill a page, with its dialogs, the browser's history and a logout.

import { doorsOf, messageFinder, peopleById, peopleFinder, peopleOfRooms, ticketSource } from "./api.js";
import { Conversation } from "./conversation.js";
import { dialogForm } from "./dialogs.js";
import { Invitations, linkMaker } from "./invitations.js";
import { forgetEverybody, Memory, storageNamed } from "./memory.js";
import { dropLink, enterRoom, followHistory, invitationTo, invited, isWide, leaveRoom, linked, linkTo, openDialog, roomOfHistory } from "./navigation.js";
import { say } from "./notice.js";
import { Notifications } from "./notifications.js";
import { setText } from "./patch.js";
import { PeopleField } from "./people_field.js";
import { RoomFinder } from "./room_finder.js";
import { MessageSearch } from "./search.js";
import { gettext, speak } from "./texts.js";

const at = (id) => document.getElementById(id);
const icon = document.querySelector("link[rel=icon]");
const quietIcon = icon.href;
const { userId, unreadIcon, websocketUrl, ticketUrl, usersUrl, peopleUrl, roomsUrl, invitationUrl, searchUrl, filesUrl, fileBytes, csrfToken, texts } = document.body.dataset;
speak(document.documentElement.lang, texts);
const findUsers = peopleFinder(usersUrl);
const chat = new Conversation({
  root: document,
  userId: Number(userId),
  url: new URL(websocketUrl || "ws", location.href.replace(/^http/, "ws")).href,
  ticket: ticketSource(ticketUrl, csrfToken),
  people: peopleById(peopleUrl),
  rooms: peopleOfRooms(roomsUrl),
  files: { url: filesUrl, csrf: csrfToken, maxBytes: Number(fileBytes) },
  surroundings: { entered: enterRoom, left: leaveRoom, first, hasRoomToType: isWide, opened: openDialog, linkTo, heard, painted },
});
const notifications = new Notifications(at("notify"), at("sound"), new Memory(storageNamed("localStorage"), Number(userId)), Number(userId), goTo);
new MessageSearch(document, messageFinder(searchUrl), { room: () => chat.selected, roomOf: (room) => chat.client.rooms.get(room), goTo });
const doors = doorsOf(roomsUrl, invitationUrl, csrfToken);
const ways = { join: (room, invitation) => chat.carryOut("join_room", { room, ...(invitation ? { invitation } : {}) }), open: (room) => chat.chooseWhenThere(room) };
new RoomFinder(document, doors.find, ways);
const invitations = new Invitations(document, doors, ways);
let searching = null;

/** Begin with the message of the address, or the room of before a reload; on a desk else with the first one. */
function first(rooms, isKnown) {
  followInvitation();
  const link = linked();
  if (link && isKnown(link.room)) return { ...link, isChoice: false };
  if (link) strange();
  const before = roomOfHistory();
  if (isKnown(before)) return { room: before, isChoice: false };
  return rooms.size && isWide() ? { room: rooms.keys().next().value, isChoice: true } : null;
}

function goTo(room, seq) {
  if (room !== chat.selected) chat.choose(room);
  chat.goTo(seq);
}

/** A link invites into a room; its token does not stay in the address. */
function followInvitation() {
  const invitation = invited();
  if (!invitation) return;
  dropLink(chat.selected ?? roomOfHistory());
  invitations.follow(invitation);
}

/** A link leads into a room that the user is not in. */
function strange() {
  say(gettext("The link leads to a room that you are not in."));
  dropLink(chat.selected);
}

function heard(...event) {
  notifications.heard(...event);
}

function painted({ room, isAdmin, unread, unsent }) {
  const isGroup = room?.kind === "group";
  at("room-button").hidden = !room || Boolean(room.isLeft || room.archived) || chat.client.state === "ended";
  at("invite-button").hidden = !isGroup || at("room-button").hidden;
  at("search-here").hidden = !room;
  at("link-part").hidden = !isAdmin;
  for (const part of [at("new-name"), at("new-topic"), at("new-door")]) part.hidden = part.control.disabled = !isGroup || !isAdmin;
  for (const part of [at("new-receipts"), at("rename").querySelector(".row .primary")]) part.hidden = isGroup && !isAdmin;
  at("rename").querySelector("details").hidden = !isGroup;
  if (chat.client.state === "ended") at("notify").hidden = at("sound").hidden = true; // the choice is deleted with all that is the user's
  const address = unread ? new URL(unreadIcon, location.href).href : quietIcon;
  if (icon.href !== address) icon.href = address;
  document.title = unread ? `(${unread}) Roomlog` : "Roomlog";
  setText(at("log-out-button"), unsent ? gettext("Log out ({unsent} unsent)", { unsent }) : gettext("Log out"));
}

const [newMembers, partner, newcomer] = ["new-members", "partner", "invited"].map((box) => new PeopleField(at(box), findUsers));
dialogForm(at("new-room"), async ({ name }, isOpen) => {
  const { room } = await chat.carryOut("create_room", { name: name.trim(), kind: "group", members: await newMembers.ids() });
  if (isOpen()) chat.chooseWhenThere(room);
});
dialogForm(at("new-direct"), async (_, isOpen) => {
  const { room } = await chat.carryOut("create_room", { kind: "direct", members: await partner.ids() });
  if (isOpen()) chat.chooseWhenThere(room);
});
dialogForm(at("invite"), async () => {
  const room = chat.selected;
  const [user] = await newcomer.ids();
  await chat.carryOut("invite_user", { room, user });
});
at("invite-button").addEventListener("click", () => (at("invitation-link").hidden = true));
linkMaker(at("make-link"), at("invitation-link"), at("invite").querySelector(".wrong"), async () => {
  const made = await doors.invite(chat.selected, {});
  if (!made) throw new Error(gettext("You are not a member of this room."));
  return invitationTo(made.token);
});
at("room-button").addEventListener("click", () => {
  const { name = "", topic = "", discoverable = false, receipts = false } = chat.client.rooms.get(chat.selected) ?? {};
  const { elements } = at("rename");
  elements.name.value = name;
  elements.topic.value = topic;
  elements.discoverable.checked = discoverable;
  elements.receipts.checked = receipts;
  setText(at("way-back"), discoverable ? gettext("You can come back as long as everybody may join the room.") : gettext("You can come back only if somebody invites you."));
  at("rename").querySelector("details").open = false;
});
dialogForm(at("rename"), async ({ name, topic, discoverable = "", receipts = "" }) => {
  const room = chat.selected;
  const known = chat.client.rooms.get(room);
  const differs = (key, value) => value !== (known[key] ?? "");
  if (known.kind === "group") {
    if (differs("name", name.trim())) await chat.carryOut("rename_room", { room, name: name.trim() });
    if (differs("topic", topic.trim())) await chat.carryOut("set_topic", { room, topic: topic.trim() });
    if (Boolean(discoverable) !== Boolean(known.discoverable)) await chat.carryOut("set_discoverable", { room, discoverable: Boolean(discoverable) });
  }
  if (Boolean(receipts) !== Boolean(known.receipts)) await chat.carryOut("set_receipts", { room, receipts: Boolean(receipts) });
});
at("leave").addEventListener("click", async ({ target }) => {
  const wrong = at("rename").querySelector(".wrong");
  wrong.hidden = target.disabled = true;
  try {
    await chat.carryOut("leave_room", { room: chat.selected });
    at("room-dialog").close();
  } catch (error) {
    setText(wrong, error.message);
    wrong.hidden = false;
  }
  target.disabled = false;
});
at("log-out").addEventListener("submit", () => {
  chat.stop("logged out");
  forgetEverybody();
});
addEventListener("pageshow", ({ persisted }) => persisted && location.reload()); // after a logout, by Back
followHistory((roomId, seq) => {
  if (seq && chat.client.rooms.size === 0) return; // followed when the rooms are known
  if (seq && !chat.knows(roomId)) return strange();
  if (roomId !== chat.selected) chat.select(roomId);
  if (seq) chat.goTo(seq);
}, followInvitation);
chat.start();

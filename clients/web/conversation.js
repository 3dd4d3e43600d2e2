// One user's conversations: the client, what it told, and the parts that show it, in a document or a shadow root.
//
// The last stage of a message's way. The chat page and the element place it and say what surrounds it: dialogs,
// the browser's history, a login. It paints once for all that happens at a time.

import { AskedOnce } from "./asked_once.js";
import { Attendance } from "./attendance.js";
import { Blocks } from "./blocks.js";
import { CompletionList, emojiByName, mentionsFrom } from "./completion_list.js";
import { Composer } from "./composer.js";
import { Drafts } from "./drafts.js";
import { EmojiChoice } from "./emoji_choice.js";
import { Failed } from "./failed.js";
import { LeftRooms } from "./left_rooms.js";
import { talk } from "./markup.js";
import { MemberList } from "./member_list.js";
import { MemberNames } from "./member_names.js";
import { Memory, storageNamed } from "./memory.js";
import { MessageActions } from "./message_actions.js";
import { Moderation } from "./moderation.js";
import { bare, plain, roomName } from "./names.js";
import { say, showNoticesIn } from "./notice.js";
import { isWanted, NotificationLevel, wanted } from "./notification_level.js";
import { MAX_COMMANDS } from "./outbox.js";
import { OwnMembership } from "./own_membership.js";
import { patch, setText } from "./patch.js";
import { PinList } from "./pin_list.js";
import { isPin } from "./pins.js";
import { isReaction } from "./reactions.js";
import { ReadBy } from "./read_by.js";
import { Reading } from "./reading.js";
import { Reply } from "./reply.js";
import { showRooms } from "./room_list.js";
import { Roomlog } from "./roomlog.js";
import { RoomView } from "./room_view.js";
import { isLogout, showState, stateFor } from "./status.js";
import { gettext, gettext_noop, refusalText } from "./texts.js";
import { Timeline } from "./timeline.js";
import { Typists } from "./typists.js";
import { isMeant, UnreadMentions } from "./unread_mentions.js";
import { Uploads } from "./uploads.js";
import { pictureRow } from "./view.js";

const SNAPSHOT = 20; // messages of a snapshot: fewer are all there are
const ENDED = gettext_noop("This page's access has ended.");
const ALONE = { entered: () => {}, first: () => null, left: null, hasRoomToType: () => false, opened: (dialog) => dialog.showModal(), linkTo: null, heard: () => {}, painted: () => {} };

/** What one user sees and does. */
export class Conversation {
  client;
  selected = null; // room id
  #root;
  #surroundings;
  #memory;
  #tabMemory;
  #timeline;
  #drafts;
  #failed;
  #reading;
  #mentions;
  #names;
  #left = new LeftRooms();
  #uploads;
  #typists = new Typists(() => this.render());
  #attendance = new Attendance();
  #others;
  #blocks;
  #own;
  #composer;
  #reply;
  #actions;
  #pins;
  #members;
  #readBy;
  #level;
  #view;
  #userId;
  #outcomes = new Map(); // uuid of a command that somebody waits for → {resolve, reject}
  #awaited = null; // id of a room that is to be shown when it is there
  #told = { state: "connecting" }; // what the client said of its connection last
  #isListed = false; // the rooms are known
  #painting = null;
  #looked = () => this.render();

  /**
   * `root` is a document or a shadow root with `.chat`, `.talk`, `#rooms`, `#banner` and `#notice`. The
   * surroundings may say: `entered(roomId)` when somebody chose a room, `first(rooms, isKnown)` which one to begin
   * with and at which message, `left()` instead of showing the list, `hasRoomToType()`, `opened(dialog)` to show one,
   * `linkTo(roomId, seq)`, the address of a message, `heard(room, event, isNews)` of each event, whether it is unread and wanted, and
   * `painted(facts)` after each paint.
   * `people(ids)` finds pictures; null: nobody has any. `rooms` is `peopleOfRooms` of api.js; null: nobody can
   * say who is in a room, nor the user's role. `files` is {url, csrf, maxBytes}, with 0 if nobody can upload; null: files are names alone.
   */
  constructor({ root, userId, url, ticket, people = null, rooms = null, files = null, surroundings = {} }) {
    this.#root = root;
    this.#userId = userId;
    this.#surroundings = { ...ALONE, ...surroundings };
    root.querySelector(".talk").innerHTML = talk();
    showNoticesIn(root);
    this.#timeline = new Timeline(userId);
    this.#memory = new Memory(storageNamed("localStorage"), userId);
    this.#tabMemory = new Memory(storageNamed("sessionStorage"), userId);
    for (const kept of [this.#memory, this.#tabMemory]) kept.forgetOthers();
    this.#memory.claim(() => this.client.stop("logged out"));
    const storagePrefix = this.#memory.prefix("outbox");
    this.client = new Roomlog({ url, ticket, userId, storage: storageNamed("localStorage"), storagePrefix, files: files?.url, csrf: files?.csrf });
    this.#drafts = new Drafts(this.#tabMemory, this.#memory);
    this.#failed = new Failed(this.#memory, () => this.render());
    const read = (room, seq) => this.client.markRead(room, seq);
    this.#reading = new Reading(this.#memory, userId, { changed: () => this.render(), read });
    this.#mentions = new UnreadMentions(userId, (room) => this.#recount(room));
    const changed = () => this.render();
    this.#blocks = new Blocks(this.client, changed);
    this.#uploads = new Uploads(root, files && this.client, files?.maxBytes ?? 0, { changed, say });
    const emoji = new EmojiChoice(root, this.#memory);
    this.#composer = new Composer(root, this.#drafts, {
      chooseEmoji: (button, chosen) => emoji.toggle(button, [], chosen),
      hasFiles: (room) => this.#uploads.has(room),
      typing: (room) => this.client.typing(room),
      send: (room, text) => this.#send(room, text),
      save: (room, message, text) => this.#save(room, message, text),
      editLast: () => this.#actions.editLast(),
      changed,
    });
    this.#reply = new Reply(root, this.#drafts, { timeline: this.#timeline, focus: () => this.#composer.focus(), changed });
    this.#names = new MemberNames(rooms?.members ?? null);
    new CompletionList(root, () => this.selected, [mentionsFrom(this.#names, userId, (room) => this.#actions.mayPin(room)), emojiByName]);
    this.#own = new OwnMembership(userId, rooms?.members ?? null, changed);
    const [{ client }, own] = [this, this.#own];
    const opened = (dialog) => this.#surroundings.opened(dialog);
    const remove = (room, message) => this.#remove(room, message);
    const react = (...reaction) => this.#react(...reaction);
    const pin = (...wish) => this.#pin(...wish);
    const answers = { reply: (room, message) => this.#reply.begin(this.#roomOf(room), message), quoted: ({ reply_to: id }) => this.#view.goToQuoted(id) };
    this.#actions = new MessageActions(root, { client, timeline: this.#timeline, composer: this.#composer, emoji, own, userId, remove, react, pin, ...answers, opened, linkTo: this.#surroundings.linkTo, changed });
    this.#pins = new PinList(root, { client, pin, opened, mayPin: (room) => this.#actions.mayPin(room), goTo: (seq) => this.goTo(seq) });
    const moderation = new Moderation(root, { own, userId, opened, carryOut: (...command) => this.carryOut(...command) });
    this.#members = new MemberList(root, { rooms, own, attendance: this.#attendance, blocks: this.#blocks, userId, opened, moderation });
    this.#readBy = new ReadBy(root, { client, names: this.#names, userId, opened, changed });
    this.#level = new NotificationLevel(root, client, opened);
    const avatars = new AskedOnce(people, ({ id }) => id, changed);
    this.#others = new AskedOnce(rooms?.others ?? null, ({ room }) => room, changed);
    const parts = { client, avatars, blocks: this.#blocks, timeline: this.#timeline, reading: this.#reading, readBy: this.#readBy, failed: this.#failed, actions: this.#actions, reply: this.#reply, files: this.#uploads, userId };
    this.#view = new RoomView(root, { ...parts, repeat: (entry) => this.#repeat(entry), changed });
    this.#listen();
  }

  start() {
    document.addEventListener("visibilitychange", this.#looked);
    this.#at("retry").addEventListener("click", () => this.client.retry());
    this.#at("pins-button").addEventListener("click", () => this.#pins.open(this.selected));
    this.#at("members-button").addEventListener("click", () => this.#members.open(this.selected));
    this.#at("level-button").addEventListener("click", () => this.#level.open(this.selected));
    this.#at("back").addEventListener("click", () => (this.#surroundings.left ?? (() => this.select(null)))());
    this.client.start();
  }

  /** Disconnect for good. */
  stop(reason) {
    document.removeEventListener("visibilitychange", this.#looked);
    this.client.stop(reason);
  }

  /** Show a room, or the list alone; only people choose, and Back. */
  select(roomId) {
    this.selected = roomId;
    this.#awaited = null;
    this.#root.querySelector(".chat").classList.toggle("in-room", roomId !== null);
    const room = this.client.rooms.get(roomId);
    if (room && !room.isOpen) this.client.open(roomId);
    else if (room && this.#own.get(roomId).role === null) this.#own.refresh(roomId);
    for (const dialog of [this.#pins, this.#members, this.#readBy, this.#level]) dialog.close();
    this.#view.enter(roomId);
    this.#paint();
    if (roomId && this.#surroundings.hasRoomToType()) this.#composer.focus();
  }

  choose(roomId) {
    this.#surroundings.entered(roomId);
    this.select(roomId);
  }

  /** Go to a message of the selected room. */
  goTo(seq) {
    this.#view.goTo(seq);
  }

  /** Whether this is a room of the user's, or one that they have left and that is still shown. */
  knows(roomId) {
    return this.#roomOf(roomId) !== null;
  }

  /** Show a room now or when it is there. */
  chooseWhenThere(roomId) {
    if (this.client.rooms.has(roomId)) this.choose(roomId);
    else {
      this.#awaited = roomId; // its room_joined follows
      this.render();
    }
  }

  /** Send a command that somebody waits for, and return its event; throws the server's sentence. */
  async carryOut(action, fields) {
    if (this.client.state === "ended") throw new Error(gettext(ENDED));
    if (stateFor(this.client, fields.room ?? null) !== "online") throw new Error(gettext("There is no connection right now. Try again when it is back."));
    const uuid = this.client.send(action, fields);
    try {
      return await new Promise((resolve, reject) => this.#outcomes.set(uuid, { resolve, reject }));
    } finally {
      this.#outcomes.delete(uuid);
    }
  }

  /** Paint soon, once for all that happens until then. */
  render() {
    this.#painting ??= setTimeout(() => this.#paint());
  }

  // -- what the client tells ------------------------------------------------------------------------

  #listen() {
    const { client } = this;
    client.addEventListener("state", ({ detail }) => this.#entered(detail));
    client.addEventListener("rooms", ({ detail: { told = [] } }) => this.#listed(told));
    client.addEventListener("marked", ({ detail: { summary } }) => {
      this.#reading.told(summary);
      this.#mentions.told(summary);
      this.render();
    });
    client.addEventListener("typing", ({ detail: { room, users } }) => {
      this.#typists.heard(room, users.filter(({ id }) => !this.#blocks.has(id)));
      this.render();
    });
    client.addEventListener("presence", ({ detail: { room, users, count } }) => {
      this.#attendance.heard(room, users, count);
      this.render();
    });
    client.addEventListener("receipts", () => this.render());
    client.addEventListener("snapshot", ({ detail: { room, messages, firstSeq } }) => {
      this.#timeline.replace(room.id, room.epoch, messages, firstSeq);
      this.#reading.loaded(room, messages, messages.length < SNAPSHOT);
      this.#names.forget(room.id); // who came or went before it, no event tells
      if (room.id === this.selected) this.#own.refresh(room.id); // what changed before it, no event tells
      else this.#own.forget(room.id);
      this.render();
    });
    client.addEventListener("event", ({ detail: { room, event } }) => {
      this.#timeline.append(room.id, event);
      this.#typists.wrote(room.id, (event.user ?? event.message?.user)?.id);
      if (room.id !== this.selected) this.#timeline.trim(room.id, null, null);
      const hushed = this.#blocks.hushed(event);
      this.#reading.arrived(room.id, hushed);
      this.#mentions.arrived(room.id, hushed, this.#reading.mark(room.id));
      for (const part of [this.#own, this.#pins, this.#members, this.#names]) part.heard(room.id, event);
      const isMentioned = event.action === "new_message" && isMeant(this.#userId, hushed.message);
      this.#surroundings.heard(room, hushed, this.#reading.unread(room.id) > 0 && isWanted(room, isMentioned));
      this.render();
    });
    client.addEventListener("settled", ({ detail: { command, event } }) => {
      this.#outcomes.get(command.uuid)?.resolve(event);
      this.render();
    });
    client.addEventListener("refused", ({ detail: { command, code, message } }) => this.#refused(command, code, refusalText(code, message)));
    client.addEventListener("outbox", () => this.render());
  }

  #entered(detail) {
    if (detail.state === "ended" && isLogout(detail)) {
      this.#memory.close();
      this.#tabMemory.close();
    }
    if (detail.state === "ended") for (const { reject } of this.#outcomes.values()) reject(new Error(gettext(ENDED)));
    this.#told = detail;
    this.render();
  }

  #listed(told) {
    const { client } = this;
    for (const summary of told) for (const part of [this.#reading, this.#mentions]) part.told(summary);
    this.#left.compare(client.rooms, (id) => this.#timeline.get(id)?.lines.at(-1)?.note, this.#userId);
    this.#left.remember(this.#written());
    this.#own.keep(client.rooms);
    if (client.rooms.has(this.#awaited)) this.choose(this.#awaited);
    else if (!this.#isListed) this.#begin();
    this.#isListed = true;
    const room = client.rooms.get(this.selected);
    if (room && !room.isOpen) client.open(this.selected); // invited again
    if (!room) for (const dialog of [this.#pins, this.#members, this.#readBy, this.#level]) dialog.close();
    this.render();
  }

  #refused(command, code, message) {
    this.#own.refused(command, code);
    const isText = command.action === "new_message" || command.action === "edit_message";
    if (isText) this.#failed.add({ command, message, name: this.#nameOf(command.room) });
    else if (command.action === "delete_message") this.#notDeleted(command, code, message);
    else if (isReaction(command)) this.#notReacted(command, code, message);
    else if (isPin(command)) this.#notPinned(command, code, message);
    else if (this.#outcomes.has(command.uuid)) this.#outcomes.get(command.uuid).reject(new Error(message));
    else say(command.name ? gettext("The room {name} was not made: {reason}", { name: plain(command.name), reason: message }) : message);
    this.render();
  }

  #notDeleted(command, code, message) {
    this.#actions.refused(command, code);
    if (code === "not_found") return; // somebody else was faster, and their deletion follows
    say(gettext("The message was not deleted: {reason}", { reason: message }));
  }

  #notReacted({ action, emoji }, code, reason) {
    const isAdded = action === "add_reaction";
    const isSoAlready = code === "not_found" || (isAdded && code === "bad_value"); // by another device, or the message is gone
    if (isSoAlready) return;
    const values = { emoji: plain(emoji), reason };
    say(isAdded ? gettext("The reaction {emoji} was not added: {reason}", values) : gettext("The reaction {emoji} was not removed: {reason}", values));
  }

  #notPinned({ action }, code, reason) {
    const isPinned = action === "pin_message";
    const isSoAlready = code === "not_found" || (isPinned && code === "bad_value");
    if (!isSoAlready) say(isPinned ? gettext("The message was not pinned: {reason}", { reason }) : gettext("The message was not unpinned: {reason}", { reason }));
  }

  // -- what people do -------------------------------------------------------------------------------

  /** Show the room to begin with, once the rooms are known. */
  #begin() {
    const { rooms } = this.client;
    const begun = this.#surroundings.first(rooms, (id) => this.knows(id));
    if (begun?.isChoice) this.choose(begun.room);
    else if (begun) this.select(begun.room);
    if (begun?.seq) this.goTo(begun.seq);
  }

  #send(room, text) {
    const reply = this.#reply.of(room);
    const mentions = this.#names.mentioned(room, text) ?? [];
    const attachments = this.#uploads.idsOf(room);
    const lists = Object.entries({ mentions, attachments }).filter(([, ids]) => ids.length > 0);
    this.#write("new_message", { room, text, ...(reply ? { reply_to: reply } : {}), ...Object.fromEntries(lists), ...this.#names.forAll(room, text) });
    this.#uploads.sent(room);
    this.#reply.end(this.#roomOf(room));
    if (room === this.selected) this.#view.sent();
    this.render();
  }

  #save(room, message, text) {
    const before = this.#timeline.find(room, message)?.mentions ?? []; // kept where nobody can say who is named
    const mentions = this.#names.mentioned(room, text) ?? before;
    this.#write("edit_message", { room, message, text, ...(mentions.length > 0 ? { mentions } : {}), ...this.#names.forAll(room, text) });
    this.render();
  }

  /** Ask for a room's counts: a mark at 0 moves nothing, and is answered with them. */
  async #recount(room) {
    const { room: summary } = await this.client.request("mark_read", { room, seq: 0 }).catch(() => ({}));
    if (summary) this.#mentions.told(summary);
    this.render();
  }

  /** Send what somebody wrote, or throw a sentence. */
  #write(action, fields) {
    if (this.client.outbox.length + this.#failed.size >= MAX_COMMANDS) {
      throw new Error(gettext("{number} messages wait already. This one stays here until some are sent or discarded.", { number: MAX_COMMANDS }));
    }
    this.client.send(action, fields);
  }

  #remove(room, { id: message }) {
    this.#try(() => this.client.send("delete_message", { room, message }));
  }

  #react(room, { id: message }, emoji, isWanted) {
    this.#try(() => (isWanted ? this.client.addReaction(room, message, emoji) : this.client.removeReaction(room, message, emoji)));
  }

  #pin(room, { id: message }, isWanted) {
    this.#try(() => this.client.send(isWanted ? "pin_message" : "unpin_message", { room, message }));
  }

  /** Send a refused text again; it stays where it is when it can't be taken. */
  #repeat(entry) {
    const { action, uuid: _, ...fields } = entry.command;
    this.#try(() => {
      this.client.send(action, fields);
      this.#failed.remove(entry);
    });
  }

  #try(send) {
    try {
      send();
    } catch {
      say(gettext("Too many messages wait. Try again when some are sent."));
    }
    this.render();
  }

  // -- what is shown --------------------------------------------------------------------------------

  #paint() {
    clearTimeout(this.#painting);
    this.#painting = null;
    const { client, selected } = this;
    for (const one of client.rooms.values()) if (one.kind === "direct") one.other = this.#others.get(one.id);
    const room = this.#roomOf(selected);
    showState(this.#root, { ...this.#told, state: stateFor(client, selected) });
    setText(this.#at("room-name"), room ? roomName(room) : this.#awaited ? gettext("Waiting for the room…") : gettext("Choose a room"));
    patch(this.#at("room-picture"), room?.other ? [pictureRow(room.other)] : []);
    setText(this.#at("room-topic"), bare(room?.topic ?? ""));
    this.#at("room-topic").hidden = !room?.topic;
    const closed = room ? this.#closedSentence(room) : "";
    this.#composer.show(room, closed);
    this.#reply.show(room, closed);
    this.#uploads.show(selected, Boolean(room) && closed === "");
    setText(this.#at("typing"), room && !room.isLeft ? this.#typists.sentence(room.id) : "");
    this.#view.paint();
    const isMember = Boolean(room) && !room.isLeft;
    this.#watch(isMember ? [selected] : []);
    setText(this.#at("present"), isMember ? this.#attendance.sentence(room, this.#userId) : "");
    for (const button of ["pins-button", "level-button"]) this.#at(button).hidden = !isMember;
    this.#at("members-button").hidden = !isMember || !this.#members.isPossible;
    for (const list of [this.#pins, this.#members, this.#readBy]) list.paint();
    const rooms = [...client.rooms.values(), ...this.#left.shown(selected, this.#written())];
    const counted = rooms.map((one) => ({ ...one, ...this.#counts(one.id), isSelected: one.id === selected }));
    showRooms(this.#at("rooms"), counted, this.#isListed, (id) => this.choose(id));
    const unread = counted.reduce((sum, one) => sum + wanted(one), 0);
    this.#surroundings.painted({ room, isAdmin: this.#own.isAtLeast(selected, "admin"), unread, unsent: client.outbox.length + this.#failed.size });
  }

  /** Watch these rooms while somebody may see them, and forget of all others who is there. */
  #watch(rooms) {
    const isConnected = ["online", "degraded"].includes(this.client.state);
    this.client.watch(document.hidden ? [] : rooms);
    this.#attendance.keep(isConnected && !document.hidden ? rooms : []);
  }

  #counts(roomId) {
    const unread = this.#reading.unread(roomId);
    return { unread, mentions: Math.min(unread, this.#mentions.count(roomId, this.#reading.mark(roomId))) };
  }

  #roomOf(roomId) {
    return this.client.rooms.get(roomId) ?? this.#left.get(roomId) ?? null;
  }

  #nameOf(roomId) {
    return this.#roomOf(roomId)?.name ?? "";
  }

  /** Return the rooms that hold something written: [id, name]. */
  #written() {
    return [...this.#drafts.rooms(), ...this.#failed.rooms()];
  }

  #closedSentence(room) {
    if (this.client.state === "ended") return gettext("This page's access has ended: nothing more can be sent. Copy what you wrote.");
    if (room.archived) return gettext("This room is archived: it can only be read. What you wrote stays here.");
    if (!room.isLeft && this.#isBlocked(room)) return gettext("You have blocked this person: neither of you can write here. Unblock them in the list of members.");
    return room.isLeft ? gettext("{reason} What you wrote stays here to be copied.", { reason: room.sentence }) : this.#own.objection(room.id);
  }

  /** Whether the user has blocked the other one of a direct room. */
  #isBlocked({ id, kind }) {
    if (kind !== "direct" || !this.#blocks.all.length) return false;
    if (!this.#names.known(id)) this.#names.load(id).then(() => this.render(), () => {});
    return (this.#names.known(id) ?? []).some((member) => this.#blocks.has(member.id));
  }

  #at(id) {
    return this.#root.getElementById(id);
  }
}

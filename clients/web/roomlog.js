// Roomlog in a browser: one socket, each room's events once and in order, commands repeated until answered.
//
// The client's end of a message's way; the specification is packages/contract/README.md. It knows nothing of
// pages: what happens comes out as CustomEvents. Everything it keeps has a bound. Events and their detail:
//
//   state     {state, delayMs?, code?, reason?}  one of STATES; when the next try is, why the last one ended
//   rooms     {told}                    client.rooms or a summary in it has changed; told: what the server just listed
//   marked    {summary}                 the user's read mark of a room has moved, in this tab or on another device
//   typing    {room, users}            these others are writing something in a watched room, by its id
//   presence  {room, users, count}     these members of a watched room are connected, by their ids; users is null if they are many
//   receipts  {room, marks}            how far the members of a watched room have read has changed; marks: seq by user id
//   snapshot  {room, messages, firstSeq}  the room's present state: replace what you have; its log begins at firstSeq
//   event     {room, event}             the next event of a room's log, handed on exactly once
//   settled   {command, event}          a command of send() became this event
//   refused   {command, code, message}  it did not, and never will
//   outbox    {}                        client.outbox has changed

import { doorsOf, messageFinder, peopleFinder, Refused, Throttled, Unreachable, upload } from "./api.js";
import { now } from "./clock.js";
import { Link, SignedOut, STATES } from "./link.js";
import { Marks, PAUSE_MS } from "./marks.js";
import { newUuid, Outbox } from "./outbox.js";
import { Receipts } from "./receipts.js";
import { TypingPauses } from "./typing.js";
import { Watched } from "./watched.js";

export { Refused, SignedOut, STATES, Throttled, Unreachable };

const ANSWER_MS = 15_000; // then the answer to a question is asked for again
const RETRY_MS = 1_000; // after a refusal that passes and names no time
const MAX_QUESTIONS = 8; // select_room in flight: the server takes 32 commands at once
const MAX_REQUESTS = 8;
const RENEWAL = "renew"; // uuid of an authenticate on an open connection: its answer says nothing of rooms
const MAX_CURSORS = 500; // the server's limit for one authenticate
const RETRIED = new Set(["busy", "rate_limited", "not_authenticated", "too_many_connections"]);
const CHANGES = {
  rename_room: ({ name }) => ({ name }),
  set_topic: ({ topic }) => ({ topic }),
  set_receipts: ({ receipts }) => ({ receipts }),
  archive_room: () => ({ archived: true }),
  restore_room: () => ({ archived: false }),
  set_discoverable: ({ discoverable }) => ({ discoverable }),
}; // what an event changes of its room's summary

const LEAVING = new Set(["leave_room", "remove_user", "ban_user"]);

/** Thrown by `send` when the outbox is full, and by `request` when it can't be answered. */
export class NotNow extends Error {}

/** One user's connection to Roomlog, kept up until `stop`. */
export class Roomlog extends EventTarget {
  /** Room id → {id, name, topic, kind, epoch, seq, read_seq, archived, isOpen}; `seq` is how far events were handed on. */
  rooms = new Map();
  user = null;
  /** Ids of the rooms in which nothing is accepted while the state is `degraded`; null: in all. */
  degradedRooms = null;

  #userId;
  #link;
  #questions = new Map(); // uuid → {room, kind, askedAt}
  #requests = new Map(); // uuid → {resolve, reject, deadline}
  #told = []; // the rooms so far, while the answer to authenticate is not complete
  #outbox;
  #marks = new Marks();
  #marking = null; // the timer of the next marks
  #typing = new TypingPauses();
  #watched = new Watched();
  #receipts = new Receipts();
  #find;
  #findUsers;
  #doors;
  #files;
  #csrf;

  /**
   * `userId`, where given, is the only user whose commands may leave: another one's ticket ends the client. `search` is
   * the address that `search` asks, `users` that of `findUsers`, `rooms` and `invitation` those of `findRooms` and `door`, `files` that of `upload`, which needs the page's CSRF token.
   */
  constructor({ url, ticket, userId = null, storage = null, storagePrefix = "roomlog:", search = "/api/v1/search/", users = "/api/v1/users/", rooms = "/api/v1/rooms/", invitation = "/api/v1/invitation/", files = "/api/v1/attachments/", csrf = "" }) {
    super();
    this.#userId = userId;
    this.#find = messageFinder(search);
    this.#findUsers = peopleFinder(users);
    this.#doors = doorsOf(rooms, invitation, csrf);
    this.#files = files;
    this.#csrf = csrf;
    this.#outbox = new Outbox(storage, storagePrefix);
    this.#link = new Link({
      url,
      ticket,
      greeting: (fresh) => this.#greeting(fresh),
      renewal: (fresh) => ({ uuid: RENEWAL, action: "authenticate", ticket: fresh }),
      received: (frame) => this.#received(frame),
      ticked: () => this.#ticked(),
      lost: () => this.#forgetFlights(),
      entered: (state, detail) => this.#emit("state", { state, ...detail }),
    });
  }

  get state() {
    return this.#link.state;
  }

  /** Commands that were not answered yet, oldest first: {uuid, action, room?, …}. */
  get outbox() {
    return this.#outbox.commands;
  }

  /** Return when a command of the outbox was made, in milliseconds since 1970. */
  waitingSince(command) {
    return this.#outbox.madeAt(command);
  }

  /** Connect, and stay connected. */
  start() {
    this.#link.start();
  }

  /** Try at once, when the state is `waiting`. */
  retry() {
    this.#link.retry();
  }

  /** Disconnect for good; the outbox stays in the storage for the next page. */
  stop(reason = "stopped") {
    this.#link.end({ reason });
  }

  /** Show a room: ask for its last messages and follow it without a gap from here on. */
  open(roomId) {
    const room = this.rooms.get(roomId);
    if (!room) return;
    room.isOpen = true;
    this.#ask(room, "afresh");
  }

  /** Put a command that becomes an event into the outbox and return its uuid. */
  send(action, fields) {
    if (this.#outbox.isFull) throw new NotNow("too many messages wait");
    const command = { uuid: newUuid(), action, ...fields };
    this.#outbox.add(command);
    this.#emit("outbox");
    this.#flush();
    return command.uuid;
  }

  /** Add the user's reaction to a message, by its id; return the command's uuid. */
  addReaction(room, message, emoji) {
    return this.send("add_reaction", { room, message, emoji });
  }

  /** Take the user's own reaction away. */
  removeReaction(room, message, emoji) {
    return this.send("remove_reaction", { room, message, emoji });
  }

  /** Give a member another role: "reader", "member", "admin" or "owner"; return the command's uuid. */
  setRole(room, user, role) {
    return this.send("set_role", { room, user, role });
  }

  /** Let a member write nothing until then, in seconds since 1970, or without an end (null). */
  muteUser(room, user, until = null) {
    return this.send("mute_user", { room, user, until });
  }

  /** Let a muted member write again. */
  unmuteUser(room, user) {
    return this.send("unmute_user", { room, user });
  }

  /** End somebody's membership and keep them out until then, in seconds since 1970, or without an end (null). */
  banUser(room, user, until = null) {
    return this.send("ban_user", { room, user, until });
  }

  /** Let somebody who is banned be invited again. */
  unbanUser(room, user) {
    return this.send("unban_user", { room, user });
  }

  /** Put a message, by its id, among the room's pinned ones; return the command's uuid. */
  pinMessage(room, message) {
    return this.send("pin_message", { room, message });
  }

  /** Take a message away from the room's pinned ones. */
  unpinMessage(room, message) {
    return this.send("unpin_message", { room, message });
  }

  /** Join a room that everybody may join, or by the token of an invitation. */
  joinRoom(room, invitation = "") {
    return this.send("join_room", { room, ...(invitation ? { invitation } : {}) });
  }

  /** Say whether everybody may find a room and join it. */
  setDiscoverable(room, discoverable) {
    return this.send("set_discoverable", { room, discoverable });
  }

  /** Tell the install's moderators of a message, by its id: "spam", "abuse" or "other"; resolves and rejects as `request`. */
  reportMessage(room, message, reason, comment = "") {
    return this.request("report_message", { room, message, reason, comment });
  }

  /** Say of which messages of a room the user wants to be told, on all devices: "all", "mentions" or "none"; as `request`. */
  async setNotifications(room, notify) {
    const answer = await this.request("set_notifications", { room, notify });
    this.#marked(answer.room);
  }

  /** Ask for something that is no event (`get_history`, `list_pins`, `list_rooms`); rejects rather than repeats. */
  request(action, fields = {}) {
    if (!this.#link.isOpen || this.#requests.size >= MAX_REQUESTS) {
      return Promise.reject(new NotNow("not connected"));
    }
    const uuid = newUuid();
    return new Promise((resolve, reject) => {
      this.#requests.set(uuid, { resolve, reject, deadline: now() + ANSWER_MS });
      this.#link.write({ uuid, action, ...fields });
    });
  }

  /**
   * Find messages of the user's rooms by {text, room, author, after, before, cursor, limit}, by HTTP with the page's session:
   * {messages, next}, the cursor of the next page or null. Rejects with `Throttled`, `SignedOut` or `Unreachable`.
   */
  search(query) {
    return this.#find(query);
  }

  /** Find at most 20 people whose name begins so and whom the user may find, by HTTP: [{id, username}]. Rejects as `search`. */
  findUsers(beginning) {
    return this.#findUsers(beginning);
  }

  /** Find the rooms that everybody may join by {q, cursor, limit}: {rooms, next}. Asks and rejects as `search`. */
  findRooms(query = {}) {
    return this.#doors.find(query);
  }

  /** Return the room behind an invitation's token, {room, name, topic, role, joined}, or null; needs the option `csrf`. */
  door(invitation) {
    return this.#doors.behind(invitation);
  }

  /**
   * Upload a file to a room, for `send("new_message", {room, text, attachments: [id]})`: {told, abort()}, a promise of the stored
   * {id, name, size, type, width, height, thumbnail}, and how to stop. `heard(part)` hears from 0 to 1 how much is there; the same
   * `uuid` is the same file. Rejects with `Refused`, `Throttled`, `SignedOut` or `Unreachable`.
   */
  upload(room, file, { uuid = newUuid(), heard = () => {} } = {}) {
    return upload(this.#files, this.#csrf, room, file, uuid, heard);
  }

  /** Return the address of a file by its id; an image's small copy is at `thumbnail/` below it. */
  fileAddress(id) {
    return `${this.#files}${id}/`;
  }

  /** Say that all up to `seq` was read, on all the user's devices; sent soon, and again until it is answered. */
  markRead(roomId, seq) {
    this.#marks.want(roomId, seq);
    this.#markSoon();
  }

  /** Say that the user is writing something in a room; call it as often as you like. Sent every 3 s, or not at all. */
  typing(roomId) {
    if (this.#link.isOpen && this.#typing.isDue(roomId)) this.#link.write({ uuid: "typing", action: "typing", room: roomId });
  }

  /** Return how far each member of a watched room has read, by the user's id; empty: nothing is told of it. */
  receipts(roomId) {
    return this.rooms.get(roomId)?.receipts ? this.#receipts.of(roomId) : new Map();
  }

  /** Say which rooms are before the user's eyes, at most eight: of these `presence`, `typing` and `receipts` come. Call it as often as you like. */
  watch(roomIds) {
    this.#watched.want(roomIds);
    this.#flush();
  }

  // -- the connection ---------------------------------------------------------------------------

  #greeting(ticket) {
    this.#told = [];
    const open = [...this.rooms.values()].filter((room) => room.isOpen).slice(0, MAX_CURSORS);
    const cursors = Object.fromEntries(open.map((room) => [room.id, cursorOf(room)]));
    return { uuid: "authenticate", action: "authenticate", ticket, cursors };
  }

  #forgetFlights() {
    for (const { reject } of this.#requests.values()) reject(new NotNow("the connection was lost"));
    this.#requests.clear();
    this.#marks.disconnected();
    this.#questions.clear();
    this.#receipts.disconnected();
    this.#outbox.disconnected();
  }

  #ticked() {
    for (const [uuid, { askedAt }] of this.#questions) if (now() - askedAt > ANSWER_MS) this.#questions.delete(uuid);
    this.#outbox.expire(now());
    for (const [uuid, { reject, deadline }] of this.#requests) {
      if (now() > deadline && this.#requests.delete(uuid)) reject(new NotNow("no answer"));
    }
    this.#markSoon();
    this.#flush();
  }

  // -- what the server says ---------------------------------------------------------------------

  #received(frame) {
    if (frame.status === "error") return this.#error(frame);
    if (frame.seq !== undefined && frame.epoch !== undefined && frame.action !== "select_room") return this.#event(frame);
    const request = this.#requests.get(frame.uuid);
    if (frame.status === "success" && request) {
      this.#requests.delete(frame.uuid);
      return request.resolve(frame);
    }
    this.#hear[frame.action]?.(frame);
  }

  #hear = {
    authenticate: ({ uuid, user, rooms, more }) => {
      if (uuid === RENEWAL) return;
      if (this.#userId !== null && user.id !== this.#userId) return this.stop("another user");
      this.#told.push(...rooms);
      if (more) return; // the answer goes on in the next frame
      const told = this.#told;
      this.#told = [];
      this.user = user;
      const known = this.rooms;
      this.rooms = new Map(told.map((summary) => [summary.id, met(summary, known.get(summary.id))]));
      for (const { id, epoch } of told) if (known.has(id) && known.get(id).epoch !== epoch) this.#marks.forget(id);
      this.#watched.begin();
      this.#link.welcomed();
      for (const summary of told) this.#compare(this.rooms.get(summary.id), summary); // not all cursors were sent
      this.#emit("rooms", { told });
      this.#markSoon();
      this.#flush();
    },
    select_room: (answer) => this.#selected(answer),
    heads: ({ rooms }) => {
      for (const [id, head] of Object.entries(rooms)) {
        if (this.rooms.has(id)) this.#compare(this.rooms.get(id), head);
      }
    },
    sync_required: ({ rooms }) => rooms.forEach((id) => this.rooms.has(id) && this.#ask(this.rooms.get(id), "since")),
    reset: ({ room }) => this.rooms.has(room) && this.#restart(this.rooms.get(room)),
    room_joined: ({ room }) => {
      this.rooms.set(room.id, met(room, this.rooms.get(room.id)));
      this.#watched.joined(room.id);
      this.#emit("rooms", { told: [room] });
      this.#flush();
    },
    room_marked: ({ room }) => this.#marked(room),
    mark_read: ({ uuid, room }) => {
      this.#marks.settle(uuid);
      this.#marked(room);
      this.#markSoon();
    },
    room_typing: ({ room, users }) => this.rooms.has(room) && this.#emit("typing", { room, users }),
    room_presence: ({ room, users, count }) => this.rooms.has(room) && this.#emit("presence", { room, users, count }),
    user_blocked: ({ user, blocked }) => this.#emit("blocked", { user, blocked }),
    room_receipts: (told) => {
      const room = this.rooms.get(told.room);
      if (!room) return;
      this.#receipts.hear(told);
      if (told.marks.length) room.receipts = true; // a snapshot may have passed over the event that said so
      this.#emit("receipts", { room: room.id, marks: this.receipts(room.id) });
    },
    room_left: ({ room }) => this.#drop(room),
    expiring: () => this.#link.renew(),
    reconnect: ({ after_ms }) => this.#link.announced(after_ms),
    degraded: ({ rooms = null }) => {
      this.degradedRooms = rooms;
      this.#link.degraded(true);
    },
    recovered: () => this.#link.degraded(false),
  };

  #marked(summary) {
    const room = this.rooms.get(summary.id);
    if (!room || (summary.epoch === room.epoch && summary.read_seq < room.read_seq)) return;
    Object.assign(room, { read_seq: summary.read_seq, notify: summary.notify });
    this.#emit("marked", { summary });
  }

  #compare(room, head) {
    if (head.epoch !== room.epoch) this.#restart(room);
    else if (head.seq > room.seq) this.#ask(room, "since");
  }

  /** Read a room from the beginning: its seqs, the marks among them, are of another log. */
  #restart(room) {
    this.#marks.forget(room.id);
    this.#ask(room, "afresh");
  }

  #event(event) {
    this.#settle(event);
    const room = this.rooms.get(event.room);
    if (!room || event.duplicate) return;
    if (event.epoch !== room.epoch) this.#restart(room);
    else if (event.seq > room.seq + 1) this.#ask(room, "since");
    else this.#apply(room, event);
  }

  #apply(room, event) {
    if (event.seq !== room.seq + 1) return;
    room.seq = event.seq; // before it is handed on: a handler that throws must not get it twice
    if (LEAVING.has(event.action)) this.#receipts.left(room.id, event);
    const change = CHANGES[event.action]?.(event);
    if (change) {
      Object.assign(room, change);
      this.#emit("rooms");
    }
    this.#emit("event", { room, event });
  }

  #selected(answer) {
    const question = this.#questions.get(answer.uuid);
    const room = this.rooms.get(answer.room);
    this.#questions.delete(answer.uuid);
    if (!question || !room) return;
    if (answer.reset) this.#ask(room, "afresh");
    else if (answer.events) this.#page(room, answer);
    else {
      Object.assign(room, { epoch: answer.epoch, seq: answer.seq });
      if (room.needs === question.kind) room.needs = null;
      this.#receipts.forget(room.id); // who left before it, no event tells
      this.#emit("snapshot", { room, messages: answer.room_messages, firstSeq: answer.first_seq ?? 1 });
    }
    this.#flush();
  }

  #page(room, { epoch, seq, events, more }) {
    if (epoch !== room.epoch) return this.#ask(room, "afresh");
    for (const event of events) {
      this.#settle(event);
      if (event.seq > room.seq + 1) return this.#ask(room, "afresh"); // never skipped in silence
      this.#apply(room, event);
    }
    room.seq = Math.max(room.seq, seq);
    if (room.needs === "since" && !more) room.needs = null;
  }

  #error(frame) {
    const { uuid, action, error_code: code, error_message: message, retry_after_ms: after = RETRY_MS } = frame;
    const question = this.#questions.get(uuid);
    const command = this.#outbox.find(uuid);
    const request = this.#requests.get(uuid);
    if (action === "authenticate" && uuid === RENEWAL) {
      // our ticket counts to its end; then the server closes, and we come back with another
    } else if (action === "authenticate") {
      this.#link.refused(message, frame.retry_after_ms);
    } else if (question) {
      if (code === "not_member") this.#drop(question.room);
      else question.askedAt = now() + after - ANSWER_MS; // asked again then
    } else if (action === "mark_read") {
      if (RETRIED.has(code)) this.#marks.refused(uuid, now() + after);
      else this.#marks.settle(uuid);
    } else if (action === "watch") {
      if (RETRIED.has(code) || code === "not_member") this.#watched.refused(now() + after);
    } else if (request) {
      this.#requests.delete(uuid);
      request.reject(new NotNow(message));
    } else if (command && RETRIED.has(code)) {
      this.#outbox.refused(command, now() + after);
    } else if (command) {
      this.#forget(command);
      this.#emit("refused", { command, code, message });
      this.#flush();
    }
  }

  #drop(roomId) {
    this.rooms.delete(roomId);
    this.#marks.forget(roomId);
    this.#receipts.forget(roomId);
    for (const [uuid, { room }] of this.#questions) if (room === roomId) this.#questions.delete(uuid);
    this.#emit("rooms");
  }

  // -- what is asked and sent -------------------------------------------------------------------

  /** Remember that a room must be read: "since" its cursor, or "afresh", which outweighs it. */
  #ask(room, kind) {
    if (room.needs !== "afresh") room.needs = kind;
    this.#flush();
  }

  /** Send what may be sent: first what was missed, then commands, oldest first, one at a time for a room. */
  #flush() {
    if (!this.#link.isOpen) return;
    const asked = new Set([...this.#questions.values()].map(({ room }) => room));
    for (const room of this.rooms.values()) {
      if (!room.needs || asked.has(room.id) || this.#questions.size >= MAX_QUESTIONS) continue;
      const uuid = `select-${newUuid()}`;
      const since = room.needs === "since" ? { since: cursorOf(room) } : {};
      this.#questions.set(uuid, { room: room.id, kind: room.needs, askedAt: now() });
      this.#link.write({ uuid, action: "select_room", room: room.id, ...since });
    }
    if (this.#watched.isDue(now())) this.#link.write({ uuid: "watch", action: "watch", rooms: this.#watched.take(this.rooms) });
    for (const command of this.#outbox.outdated) {
      this.#forget(command);
      this.#emit("refused", { command, code: "outdated", message: "Not answered for seven days; it may have been sent." });
    }
    for (const command of this.#outbox.take(now())) this.#link.write(command);
  }

  /** For the sender of its command an event is the answer, wherever it is met. */
  #settle(event) {
    const author = event.user ?? event.message?.user;
    const command = this.#outbox.find(event.uuid);
    if (!command || author?.id !== this.user?.id || command.action !== event.action) return;
    if (command.room !== undefined && command.room !== event.room) return;
    this.#forget(command);
    this.#emit("settled", { command, event });
    this.#flush();
  }

  #forget(command) {
    this.#outbox.remove(command);
    this.#emit("outbox");
  }

  /** Send the waiting marks after a pause, so that many of a room become one. */
  #markSoon() {
    if (!this.#link.isOpen || !this.#marks.isWaiting(now())) return;
    this.#marking ??= setTimeout(() => {
      this.#marking = null;
      if (!this.#link.isOpen) return; // sent after the next login
      for (const command of this.#marks.take(now(), newUuid)) this.#link.write(command);
      this.#markSoon();
    }, PAUSE_MS);
  }

  #emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** Return a room of the server's list; one that is followed already keeps its cursor. */
function met(summary, known) {
  const cursor = known?.isOpen ? { epoch: known.epoch, seq: known.seq } : {};
  return { isOpen: false, needs: null, ...known, ...summary, ...cursor };
}

function cursorOf({ epoch, seq }) {
  return { epoch, seq };
}

// The selected room's log: its rows, the place of its reader, what is new, and what of it was really seen.

import { isChange } from "./changes.js";
import { copyText } from "./clipboard.js";
import { Loader } from "./loader.js";
import { MessageList } from "./message_list.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { quoteOf } from "./quotes.js";
import { fateIn, stateFor } from "./status.js";
import { gettext, refusalText } from "./texts.js";
import { buttonRow, lineRows, ownRow, sentenceRow } from "./view.js";

/** Paints one room at a time; `changed` asks for a paint. */
export class RoomView {
  #root;
  #parts;
  #list;
  #loader;
  #actions;
  #room = null; // id
  #goal = null; // where the next paint with lines goes: "divider", "end", or a place of before
  #places = new Map(); // room id → where its reader was when another was chosen
  #divider = null; // the first message after this seq is new
  #hadUnread = false;
  #target = null; // seq of a message to go to, when the room's lines are there
  #revealed = new Set(); // seqs of the room's messages that are shown although their author is blocked
  #loading = null; // "earlier", "later" or "around"

  /** `root` is a document or shadow root; `parts` are client, avatars, blocks, timeline, reading, readBy, failed, actions, reply, files, userId, repeat(entry), changed(). */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#actions = parts.actions;
    this.#loader = new Loader(parts.client, parts.timeline);
    this.#list = new MessageList(this.#at("messages"), (pixels) => this.#looked(pixels));
    this.#at("pill").addEventListener("click", () => this.#toNewest());
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  enter(roomId) {
    const { reading } = this.#parts;
    if (this.#room && !this.#list.isAtEnd) this.#places.set(this.#room, this.#list.place());
    else this.#places.delete(this.#room);
    this.#room = roomId;
    this.#target = null;
    this.#revealed.clear();
    this.#actions.enter(roomId);
    this.#hadUnread = reading.unread(roomId) > 0;
    this.#divider = this.#hadUnread ? reading.mark(roomId) : null;
    this.#goal = this.#places.get(roomId) ?? (this.#hadUnread ? "divider" : "end");
  }

  /** The reader has written: all before it is old. */
  sent() {
    this.#divider = null;
    if (this.#parts.timeline.get(this.#room)?.hasLater) this.#parts.client.open(this.#room);
    this.#goal = "end";
  }

  /** Go to a message of the room, by its seq; it is loaded first if it is not there. */
  goTo(seq) {
    this.#target = seq;
    this.#parts.changed();
  }

  /** Go to the message that a reply quotes, by its id; it is looked for in earlier messages if it is not there. */
  goToQuoted(id) {
    const line = this.#parts.timeline.find(this.#room, id);
    if (line) return this.goTo(line.seq);
    return this.#load("around", async (room) => {
      const seq = await this.#loader.seqOf(room, id);
      if (!seq) say(seq === null ? gettext("The message is too far up to be found.") : gettext("The message can't be found."));
      else if (room === this.#room) this.#target = seq;
    });
  }

  paint() {
    if (document.hidden) this.#divide(); // nothing of it can be seen now
    this.#show();
    this.#markSeen();
    if (this.#divide()) this.#showRows();
    this.#showPill();
    this.#trim();
    this.#reach();
    this.#lookForQuoted();
  }

  // -- rows -----------------------------------------------------------------------------------------

  #show() {
    this.#showRows();
    if (!this.#goal || !this.#parts.timeline.get(this.#room)) return;
    if (this.#goal === "end") this.#list.toEnd();
    else if (this.#goal === "divider" || !this.#list.restore(this.#goal)) this.#list.toDivider();
    this.#goal = null;
  }

  #showRows() {
    this.#list.show(this.#rows(), document.hidden && this.#hadUnread);
    this.#actions.painted();
  }

  #rows() {
    const { timeline, userId, avatars, files } = this.#parts;
    const view = timeline.get(this.#room);
    if (!view) return this.#ownRows();
    const id = `${this.#room}:${view.epoch}`;
    const rows = lineRows(id, view.lines, this.#divider, { userId, avatars, standing: this.#actions.standing(), quote: (message) => this.#quote(message), addressOf: files.addressOf, isHidden: (message) => this.#isHidden(message), reveal: (seq) => this.#reveal(seq) });
    this.#showReaders(rows, id, view.lines);
    if (view.hasEarlier) rows.unshift(this.#more(id, "earlier", gettext("Earlier messages")));
    else if (view.firstSeq > 1) rows.unshift(sentenceRow(`${id}:cut`, gettext("Earlier messages are not kept.")));
    if (view.hasLater) rows.push(this.#more(id, "later", gettext("Later messages")));
    rows.push(...this.#ownRows());
    return rows.length ? rows : [sentenceRow(`${id}:none`, gettext("No messages yet."))];
  }

  /** Put below the last message that others have read who they are. */
  #showReaders(rows, id, lines) {
    const readers = this.#parts.readBy.below(this.#room, id, lines);
    if (readers) rows.splice(rows.findIndex(({ key }) => key === `${id}:${readers.seq}`) + 1, 0, readers.row);
  }

  #more(id, direction, label) {
    return buttonRow(`${id}:${direction}`, this.#loading === direction ? gettext("Loading…") : label, () => this.#extend(direction));
  }

  #isHidden({ seq, user }) {
    const { blocks, client } = this.#parts;
    return blocks.has(user.id) && client.rooms.get(this.#room)?.kind === "group" && !this.#revealed.has(seq);
  }

  #reveal(seq) {
    this.#revealed.add(seq);
    this.goTo(seq);
  }

  /** Return what the quote above a reply shows, or null. */
  #quote({ reply_to: id, deleted }) {
    return id && !deleted ? quoteOf(this.#parts.timeline.find(this.#room, id)) : null;
  }

  #ownRows() {
    const { client, failed, files } = this.#parts;
    const waiting = client.outbox.filter(({ action, room }) => action === "new_message" && room === this.#room);
    const isEnded = client.state === "ended";
    const row = (command, ...facts) => ownRow({ ...command, files: files.described(command.attachments), addressOf: files.addressOf }, this.#quote(command), ...facts);
    return [
      ...waiting.map((command) => row(command, isEnded ? "refused" : "waiting", fateIn(stateFor(client, this.#room), client.waitingSince(command)), isEnded ? [copyOf(command)] : [])),
      ...failed.of(this.#room).map((entry) => row(entry.command, "refused", refusedText(entry), this.#offers(entry))),
    ];
  }

  #offers(entry) {
    const { client, failed, repeat, changed } = this.#parts;
    const discard = () => {
      failed.remove(entry);
      changed();
      say(isChange(entry.command) ? gettext("The edit was discarded.") : gettext("The message was discarded."), [gettext("Undo"), () => (failed.add(entry), changed())]);
    };
    const canRepeat = client.state !== "ended" && client.rooms.has(this.#room);
    return [...(canRepeat ? [[gettext("Send again"), () => repeat(entry)]] : []), copyOf(entry.command), [gettext("Discard"), discard]];
  }

  // -- what was seen --------------------------------------------------------------------------------

  #looked(pixels) {
    this.#markSeen();
    this.#showPill();
    this.#loadNear(pixels);
  }

  #markSeen() {
    const { client, timeline, reading, changed } = this.#parts;
    const view = timeline.get(this.#room);
    if (document.hidden || !view) return;
    const [, last] = this.#list.seen();
    const isAll = !view.hasLater && last === (view.lines.at(-1)?.seq ?? null);
    const seq = isAll ? (client.rooms.get(this.#room)?.seq ?? last) : last;
    if (seq !== null && reading.saw(this.#room, view.epoch, seq)) changed();
  }

  /** Where something new came that is not seen yet, begin the new part there; return whether. */
  #divide() {
    const { reading } = this.#parts;
    const hasUnread = reading.unread(this.#room) > 0;
    const isNew = hasUnread && !this.#hadUnread;
    if (isNew) this.#divider = reading.mark(this.#room);
    this.#hadUnread = hasUnread;
    return isNew;
  }

  #showPill() {
    const unread = this.#parts.reading.unread(this.#room);
    const isBehind = Boolean(this.#parts.timeline.get(this.#room)?.hasLater);
    this.#at("pill").hidden = !(isBehind || (unread > 0 && !this.#list.isAtEnd));
    setText(this.#at("pill"), newText(unread));
  }

  #toNewest() {
    const { client, timeline, changed } = this.#parts;
    if (timeline.get(this.#room)?.hasLater) client.open(this.#room);
    this.#goal = "end";
    changed();
  }

  #trim() {
    const { timeline, changed } = this.#parts;
    const seen = this.#list.isAtEnd ? [null, null] : this.#list.seen();
    if (timeline.trim(this.#room, ...seen)) changed();
  }

  // -- history --------------------------------------------------------------------------------------

  /** Show the message that is to be gone to, or load the part around it. */
  #reach() {
    const seq = this.#target;
    if (seq === null || this.#loading || !this.#parts.timeline.get(this.#room)) return;
    this.#target = null;
    if (this.#list.reveal(seq)) return;
    this.#load("around", async (room) => {
      if (!(await this.#loader.around(room, seq))) say(gettext("The message can't be found."));
      else if (room === this.#room) this.#target = seq;
    });
  }

  /** Load what lies beyond the end that the reader has scrolled close to. */
  #loadNear(pixels) {
    const { client, timeline } = this.#parts;
    const view = timeline.get(this.#room);
    if (!view || client.state !== "online" || this.#target !== null) return;
    if (pixels < 0 && view.hasEarlier && this.#list.isNearStart) this.#extend("earlier");
    if (pixels > 0 && view.hasLater && this.#list.isNearEnd) this.#extend("later");
  }

  #extend(direction) {
    return this.#load(direction, async (room) => {
      await this.#loader.extend(room, direction);
      if (room === this.#room) this.#goal = this.#list.place(); // who was at the end of what was loaded, too
    });
  }

  async #lookForQuoted() {
    const { timeline, reply, changed } = this.#parts;
    const replies = (timeline.get(this.#room)?.lines ?? []).filter((line) => line.reply_to && !line.deleted);
    const ids = [...replies.map((line) => line.reply_to), reply.of(this.#room)].filter(Boolean);
    const isFound = await this.#loader.quoted(this.#room, ids).catch(() => false); // a click looks again
    if (isFound) changed();
  }

  async #load(what, load) {
    if (this.#loading) return;
    this.#loading = what;
    this.#parts.changed();
    try {
      await load(this.#room);
    } catch (error) {
      say(gettext("The messages could not be loaded: {reason}.", { reason: refusalText(null, error.message) }));
    }
    this.#loading = null;
    this.#parts.changed();
  }
}

function refusedText({ command, message }) {
  return isChange(command) ? gettext("Edit not saved: {reason}", { reason: message }) : gettext("Not sent: {reason}", { reason: message });
}

function copyOf({ text }) {
  return [gettext("Copy"), () => copyText(text).then(() => say(gettext("Copied.")))];
}

function newText(unread) {
  if (unread === 0) return gettext("Newest messages ↓");
  return unread === 1 ? gettext("1 new message ↓") : gettext("{number} new messages ↓", { number: unread });
}

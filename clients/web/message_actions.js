// What people do to messages of the log: react and reply to them, edit, pin, report and delete them, by buttons in their rows.
//
// The page knows the author of each message, and that people in a direct room change only their own. Where the user's
// role is unknown, it learns from the server's refusal that they may not delete others' messages. The Tab order has the buttons of
// one row only: the focused row, or the last one. ↑ and ↓ go from row to row.

import { isChange } from "./changes.js";
import { copyText } from "./clipboard.js";
import { say } from "./notice.js";
import { setText } from "./patch.js";
import { isPin, pins } from "./pins.js";
import { expected, isReaction } from "./reactions.js";
import { ReportDialog } from "./report_dialog.js";
import { fateIn, stateFor } from "./status.js";
import { gettext } from "./texts.js";

const KEYS = { ArrowUp: (place) => place - 1, ArrowDown: (place) => place + 1, Home: () => 0, End: () => Infinity };

/** The buttons of the selected room's messages. */
export class MessageActions {
  #root;
  #parts;
  #room = null; // id
  #report;
  #stop = null; // the row whose buttons are in the Tab order; all are built outside it
  #asked = null; // the message whose deletion is to be confirmed
  #notOthers = new Set(); // ids of rooms in which the user may not delete others' messages

  /**
   * `root` is a document or shadow root; `parts` are client, timeline, composer, emoji (EmojiChoice), own (OwnMembership), userId, `remove(roomId,
   * message)`, `react(roomId, message, emoji, isWanted)`, `pin(roomId, message, isWanted)`, `reply(roomId, message)`, `quoted(message)` to go to what it replies to,
   * `opened(dialog)` to show one, `linkTo(roomId, seq)`, the address of a message, or null, and `changed()`.
   */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#at("messages").addEventListener("click", ({ target }) => this.#clicked(target.closest("[data-does]")));
    this.#at("messages").addEventListener("keydown", (key) => this.#moved(key));
    this.#at("messages").addEventListener("focusin", () => this.painted());
    this.#at("messages").addEventListener("scroll", () => parts.emoji.follow());
    this.#report = new ReportDialog(root, parts.client, parts.opened);
    const dialog = this.#at("delete-dialog");
    dialog.querySelector("[data-closes]").addEventListener("click", () => dialog.close());
    dialog.querySelector("form").addEventListener("submit", (submit) => {
      submit.preventDefault();
      this.#confirmed();
    });
  }

  enter(roomId) {
    this.#room = roomId;
    this.#parts.emoji.close();
    this.#report.close();
    if (this.#at("delete-dialog").open) this.#at("delete-dialog").close();
  }

  /** Return a function that says how a message of the room stands: {text, fate, isEditing, isGoing, isPinned, does, reactions}. */
  standing() {
    const { client, composer, userId } = this.#parts;
    const commands = new Map(); // message id → what waits for an answer; nothing follows a deletion
    for (const command of client.outbox.filter((one) => isChange(one) && one.room === this.#room)) {
      if (commands.get(command.message)?.action !== "delete_message") commands.set(command.message, command);
    }
    const reacting = Map.groupBy(client.outbox.filter((one) => isReaction(one) && one.room === this.#room), ({ message }) => message);
    const me = { id: userId, username: client.user?.username ?? "" };
    const fate = fateIn(stateFor(client, this.#room));
    const pinning = new Map(client.outbox.filter((one) => isPin(one) && one.room === this.#room).map((one) => [one.message, pins(one)]));
    const canWrite = this.#canWrite;
    return (message) => {
      const command = message.deleted ? undefined : commands.get(message.id);
      const isGoing = command?.action === "delete_message";
      const shown = message.deleted ? [] : expected(message.reactions, reacting.get(message.id) ?? [], me);
      return {
        text: command?.text ?? message.text,
        fate: command ? fate : "",
        isGoing,
        isEditing: composer.isEditing(this.#room, message),
        isPinned: !message.deleted && (pinning.get(message.id) ?? Boolean(message.pinned)),
        does: message.deleted || isGoing ? [] : this.#allowed(message),
        reactions: shown.map((one) => ({ ...one, canToggle: this.#isOpen && !isGoing && (canWrite || one.mine) })),
      };
    };
  }

  /** Edit the user's last message, where the end of the log is loaded; return whether. */
  editLast() {
    const { timeline, userId } = this.#parts;
    const view = timeline.get(this.#room);
    if (!view || view.hasLater) return false;
    const standing = this.standing();
    const last = view.lines.findLast((line) => line.user?.id === userId && standing(line).does.includes("edit"));
    if (last) this.#edit(last);
    return Boolean(last);
  }

  /** The server has refused a deletion: where the role does not allow it, don't offer it again. */
  refused({ room, message }, code) {
    const { timeline, userId } = this.#parts;
    const line = timeline.get(room)?.lines.find(({ id }) => id === message);
    if (code === "forbidden" && line && line.user.id !== userId) this.#notOthers.add(room);
  }

  /** Keep one row's buttons in the Tab order, and the picker beside its button. */
  painted() {
    this.#parts.emoji.follow();
    const before = this.#stop;
    this.#stop = this.#focusedRow() ?? this.#lastRow();
    if (before && before !== this.#stop) setTabIndex(before, -1);
    if (this.#stop) setTabIndex(this.#stop, 0);
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  #focusedRow() {
    const row = this.#root.activeElement?.closest("#messages > .message");
    return row?.querySelector("[data-does]") ? row : null;
  }

  #lastRow() {
    let row = this.#at("messages").lastElementChild;
    while (row && !(row.matches(".message") && row.querySelector("[data-does]"))) row = row.previousElementSibling;
    return row;
  }

  #rows() {
    return [...this.#at("messages").querySelectorAll(".message:has([data-does])")];
  }

  #allowed({ user }) {
    const link = Boolean(this.#parts.linkTo);
    const isOwn = user.id === this.#parts.userId;
    const report = !isOwn && this.#isMember;
    const canWrite = this.#canWrite;
    const changes = this.#isOpen && { react: canWrite, reply: canWrite, edit: isOwn && canWrite, pin: this.mayPin(this.#room) };
    const may = { ...changes, link, report, delete: this.#isOpen && (isOwn || this.#mayDelete) };
    return Object.keys(may).filter((name) => may[name]);
  }

  /** Whether the user may pin messages of a room, as far as it is known. */
  mayPin(roomId) {
    const { client, own } = this.#parts;
    const room = client.rooms.get(roomId);
    if (!room || room.archived || client.state === "ended") return false;
    return room.kind === "direct" || own.isAtLeast(roomId, "admin");
  }

  /** Whether the user may delete others' messages: where the role is unknown, until the server refuses. */
  get #mayDelete() {
    const { client, own } = this.#parts;
    if (client.rooms.get(this.#room).kind === "direct") return false;
    return own.get(this.#room).role === null ? !this.#notOthers.has(this.#room) : own.isAtLeast(this.#room, "admin");
  }

  /** Whether the user may write in the room. */
  get #canWrite() {
    return this.#isOpen && this.#parts.own.canWrite(this.#room);
  }

  /** Whether anything of the room can be changed. */
  get #isOpen() {
    return this.#isMember && !this.#parts.client.rooms.get(this.#room).archived;
  }

  /** Whether the user is in the room, and will be heard. */
  get #isMember() {
    const { client } = this.#parts;
    return client.rooms.has(this.#room) && client.state !== "ended";
  }

  #lineOf(node) {
    const seq = Number(node.closest("[data-seq]").dataset.seq);
    return this.#parts.timeline.get(this.#room)?.lines.find((line) => line.seq === seq);
  }

  #clicked(button) {
    const line = button && this.#lineOf(button);
    if (!line) return;
    const { does, emoji } = button.dataset;
    if (does === "edit") return this.#edit(line);
    if (does === "reply") return this.#parts.reply(this.#room, line);
    if (does === "link") return copyText(this.#parts.linkTo(this.#room, line.seq)).then(() => say(gettext("Link copied.")));
    if (does === "quoted") return this.#parts.quoted(line);
    if (does === "toggle") return this.#toggle(button, emoji);
    if (does === "pin") return this.#parts.pin(this.#room, line, !this.standing()(line).isPinned);
    if (does === "report") return this.#report.open(this.#room, line.id, this.standing()(line).text);
    if (does === "react") return this.#parts.emoji.toggle(button, this.#mine(line), (emoji) => this.#toggle(button, emoji));
    this.#asked = line;
    setText(this.#at("delete-text"), this.standing()(line).text);
    this.#parts.opened(this.#at("delete-dialog"));
  }

  /** Return the emoji that the user has reacted with. */
  #mine(line) {
    return this.standing()(line).reactions.filter(({ mine }) => mine).map(({ emoji }) => emoji);
  }

  #toggle(button, emoji) {
    const line = this.#lineOf(button);
    if (!line) return;
    const isMine = this.#mine(line).includes(emoji);
    const { isGoing } = this.standing()(line);
    if (this.#isOpen && !isGoing && (isMine || this.#canWrite)) this.#parts.react(this.#room, line, emoji, !isMine);
  }

  #edit(line) {
    this.#parts.composer.edit(this.#room, { ...line, text: this.standing()(line).text });
    this.#parts.changed();
  }

  #confirmed() {
    const { timeline, remove } = this.#parts;
    const line = timeline.get(this.#room)?.lines.find(({ id }) => id === this.#asked.id);
    this.#at("delete-dialog").close();
    this.#at("messages").focus({ preventScroll: true }); // the button is gone in a moment
    if (line && !line.deleted) remove(this.#room, this.#asked);
  }

  #moved(key) {
    const row = key.target.closest("[data-does]")?.closest(".message");
    if (!row || !KEYS[key.key]) return;
    key.preventDefault();
    const rows = this.#rows();
    const next = rows[Math.max(0, Math.min(rows.length - 1, KEYS[key.key](rows.indexOf(row))))];
    const same = next.querySelector(`[data-does=${key.target.dataset.does}]`) ?? buttonsOf(next).at(-1);
    same.focus();
  }
}

function setTabIndex(row, tabIndex) {
  for (const button of buttonsOf(row)) if (button.tabIndex !== tabIndex) button.tabIndex = tabIndex;
}

function buttonsOf(row) {
  return [...row.querySelectorAll("[data-does]")];
}

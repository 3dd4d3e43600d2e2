// The rooms at the side: patched rows, so that a focused one stays focused.

import { roomName } from "./names.js";
import { el } from "./nodes.js";
import { isWanted } from "./notification_level.js";
import { patch, setText } from "./patch.js";
import { gettext } from "./texts.js";
import { avatar, sentenceRow, showPicture } from "./view.js";

const MAX_SHOWN_UNREAD = 99;

/**
 * Show rooms: {id, name, kind, other, notify, unread, mentions, isSelected, isLeft}; `chosen(id)` is called for a click. `areKnown`:
 * these are all, even if there is none.
 */
export function showRooms(box, rooms, areKnown, chosen) {
  const rows = rooms.map((room) => ({ key: room.id, build: () => build(room.id, chosen), update: (node) => update(node, room) }));
  patch(box, areKnown && !rows.length ? [sentenceRow("none", gettext("You are not in any room yet."))] : rows);
}

function build(id, chosen) {
  const button = el("button", { type: "button", onclick: () => chosen(id) }, el("bdi", { className: "room-title" }), ...["mentions", "unread"].map((className) => el("span", { className, hidden: true })));
  return button;
}

function update(button, room) {
  const [title, mentions, badge] = ["room-title", "mentions", "unread"].map((name) => button.querySelector(`.${name}`));
  button.className = room.isLeft ? "room left" : "room";
  button.setAttribute("aria-current", room.isSelected ? "true" : "false");
  setText(title, roomName(room));
  showOther(button, room.other);
  setText(mentions, `@${shown(room.mentions)}`);
  mentions.title = gettext("{number} mention you", { number: room.mentions });
  mentions.hidden = !room.mentions || !isWanted(room, true);
  setText(badge, shown(room.unread));
  badge.title = gettext("{number} unread", { number: room.unread });
  badge.hidden = room.unread === 0;
  badge.classList.toggle("quiet", !isWanted(room, false));
}

/** Put the other of a direct room before its name, once they are known. */
function showOther(button, other) {
  if (!other) return;
  if (!button.querySelector(".avatar")) button.prepend(avatar(other));
  showPicture(button.querySelector(".avatar"), other.avatar);
}

function shown(number) {
  return number > MAX_SHOWN_UNREAD ? `${MAX_SHOWN_UNREAD}+` : String(number);
}

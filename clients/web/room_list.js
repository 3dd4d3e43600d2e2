// The rooms at the side: patched rows, so that a focused one stays focused.

import { roomName } from "./names.js";
import { patch, setText } from "./patch.js";
import { gettext } from "./texts.js";
import { el } from "./view.js";

const MAX_SHOWN_UNREAD = 99;

/** Show rooms: {id, name, kind, unread, isSelected, isLeft}; `chosen(id)` is called for a click. */
export function showRooms(box, rooms, chosen) {
  patch(box, rooms.map((room) => ({ key: room.id, build: () => build(room.id, chosen), update: (node) => update(node, room) })));
}

function build(id, chosen) {
  const button = el("button", { type: "button", onclick: () => chosen(id) }, el("bdi", { className: "room-title" }), el("span", { className: "unread" }));
  button.lastElementChild.hidden = true;
  return button;
}

function update(button, room) {
  const [title, badge] = button.children;
  button.className = room.isLeft ? "room left" : "room";
  button.setAttribute("aria-current", room.isSelected ? "true" : "false");
  setText(title, roomName(room));
  setText(badge, room.unread > MAX_SHOWN_UNREAD ? `${MAX_SHOWN_UNREAD}+` : String(room.unread));
  badge.title = gettext("{number} unread", { number: room.unread });
  badge.hidden = room.unread === 0;
}

// The browser's Back: from a dialog to the page, on a phone from a room to the rooms, never out of the chat first.
//
// The room stands in the history's state, so that a reload shows it again. An address may end with `#room/seq`, which leads to a
// message: a step of its own, as the browser made it; a room that is chosen later takes its place without it.

const LINK = /^#([0-9a-f]{32})\/([1-9][0-9]{0,14})$/;
const INVITATION = /^#invitation\/([\w-]{1,64})$/;
const wide = matchMedia("(min-width: 48rem)");
let follow = () => {};
let isReturning = false; // a closed dialog's step is being taken back: the browser does so a moment later
let chosen = null; // the room that was chosen in that moment

/** Whether rooms and messages stand side by side. */
export function isWide() {
  return wide.matches;
}

/** Return an address of this page that leads to a message. */
export function linkTo(roomId, seq) {
  return `${location.origin}${bareAddress()}#${roomId}/${seq}`;
}

/** Return the {room, seq} to which the page's address leads, or null. */
export function linked() {
  const [, room, seq] = LINK.exec(location.hash) ?? [];
  return room ? { room, seq: Number(seq) } : null;
}

/** Return an address of this page that leads into a room, by the token of an invitation. */
export function invitationTo(token) {
  return `${location.origin}${bareAddress()}#invitation/${token}`;
}

/** Return the token of the invitation to which the page's address leads, or null. */
export function invited() {
  return INVITATION.exec(location.hash)?.[1] ?? null;
}

/** Take the message or invitation out of the address: `room` is shown, or none (null). */
export function dropLink(room) {
  history.replaceState({ ...history.state, room }, "", bareAddress());
}

function bareAddress() {
  return location.pathname + location.search;
}

/**
 * Follow Back, Forward and links: `show(roomId, seq)` is called for what is to be shown; null for the list, and for no message.
 * `enter()` is called when the address leads to an invitation.
 */
export function followHistory(show, enter) {
  follow = show;
  if (history.state?.dialog) history.replaceState({ ...history.state, dialog: undefined }, "");
  wide.addEventListener("change", () => history.state?.room && enterRoom(history.state.room));
  addEventListener("popstate", ({ state }) => {
    const closed = [...document.querySelectorAll("dialog[open]")].filter((dialog) => dialog.id !== state?.dialog);
    const isOfDialog = isReturning || closed.length > 0;
    isReturning = false;
    if (chosen) return enterRoom(chosen);
    for (const dialog of closed) dialog.close();
    if (invited() && !state) return enter();
    const link = linked();
    if (link && !state) history.replaceState({ room: link.room }, ""); // the browser's own step
    show(link?.room ?? state?.room ?? null, isOfDialog ? null : (link?.seq ?? null));
  });
}

/** Return the room of before a reload. */
export function roomOfHistory() {
  return history.state?.room ?? null;
}

/** Note that a room is shown: on a phone as a step from which Back leads to the list. */
export function enterRoom(room) {
  chosen = isReturning ? room : null;
  if (isReturning) return;
  const isStep = Boolean(history.state?.isStep || history.state?.dialog);
  if (isWide() || isStep) return history.replaceState({ room, isStep }, "", bareAddress());
  history.replaceState({ room: null }, "", bareAddress());
  history.pushState({ room, isStep: true }, "");
}

/** Go back to the list; `show(null)` of followHistory is called, now or by the browser. */
export function leaveRoom() {
  if (history.state?.isStep) return history.back();
  history.replaceState({ room: null }, "", bareAddress());
  follow(null, null);
}

/** Show a dialog as a step of its own. */
export function openDialog(dialog) {
  history.pushState({ ...history.state, dialog: dialog.id, isStep: history.state?.isStep ?? false }, "");
  dialog.addEventListener("close", () => history.state?.dialog === dialog.id && takeBack(), { once: true });
  dialog.showModal();
}

function takeBack() {
  isReturning = true;
  history.back();
}

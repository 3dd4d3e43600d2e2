// The browser's Back: from a dialog to the page, on a phone from a room to the rooms, never out of the chat first.
//
// The room stands in the history's state, so that a reload shows it again.

const wide = matchMedia("(min-width: 48rem)");
let follow = () => {};
let isReturning = false; // a closed dialog's step is being taken back: the browser does so a moment later
let chosen = null; // the room that was chosen in that moment

/** Whether rooms and messages stand side by side. */
export function isWide() {
  return wide.matches;
}

/** Follow Back and Forward: `show(roomId)` is called for the room to be shown, null for the list. */
export function followHistory(show) {
  follow = show;
  if (history.state?.dialog) history.replaceState({ ...history.state, dialog: undefined }, "");
  wide.addEventListener("change", () => history.state?.room && enterRoom(history.state.room));
  addEventListener("popstate", ({ state }) => {
    isReturning = false;
    if (chosen) return enterRoom(chosen);
    for (const dialog of document.querySelectorAll("dialog[open]")) if (dialog.id !== state?.dialog) dialog.close();
    show(state?.room ?? null);
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
  if (isWide() || isStep) return history.replaceState({ room, isStep }, "");
  history.replaceState({ room: null }, "");
  history.pushState({ room, isStep: true }, "");
}

/** Go back to the list; `show(null)` of followHistory is called, now or by the browser. */
export function leaveRoom() {
  if (history.state?.isStep) return history.back();
  history.replaceState({ room: null }, "");
  follow(null);
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

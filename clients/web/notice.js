// A sentence for a few seconds, above everything, a modal dialog too.

import { el } from "./nodes.js";

const SHOWN_MS = 8_000;

let root = document;
let silence = null;

/** Show notices in the `#notice` of this document or shadow root from now on. */
export function showNoticesIn(place) {
  root = place;
}

/** Say something; `action` is a label and what its button does. */
export function say(text, action = null) {
  const box = root.getElementById("notice");
  box.replaceChildren(el("span", {}, text));
  if (action) {
    const [label, act] = action;
    box.append(el("button", { type: "button", onclick: () => (hide(box), act()) }, label));
  }
  hide(box);
  box.showPopover(); // last into the top layer: before a dialog that is open
  silence = setTimeout(() => hide(box), SHOWN_MS);
}

function hide(box) {
  clearTimeout(silence);
  if (box.matches(":popover-open")) box.hidePopover();
}

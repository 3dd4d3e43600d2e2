// Names that others chose, made safe to stand beside our own words.

import { gettext, gettext_noop } from "./texts.js";

const DELETED = gettext_noop("deleted account"); // how the server names who is gone
const BIDI_CONTROLS = /[\u202a-\u202e\u2066-\u2069]/gu; // they would turn around what follows the name

/** Return a name for text: without controls of direction, and with a direction of its own. */
export function plain(name) {
  return `\u2068${bare(name)}\u2069`;
}

/** Return a name for an element that isolates it (bdi). */
export function bare(name) {
  return name === DELETED ? gettext(DELETED) : name.replace(BIDI_CONTROLS, "");
}

/** Return what a room is called: a direct one by its `other` member, where that is known. */
export function roomName({ name, kind, other }) {
  return bare(name || other?.username || "").trim() || (kind === "direct" ? gettext("Direct chat") : gettext("Unnamed room"));
}

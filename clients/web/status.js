// What the connection's state means for people: a word in the bar, and a sentence where something is to be done.

import { setText } from "./patch.js";
import { gettext, gettext_noop, locale, refusalText } from "./texts.js";

const WORDS = {
  connecting: gettext_noop("Connecting…"),
  online: gettext_noop("Online"),
  degraded: gettext_noop("Degraded: messages wait"),
  waiting: gettext_noop("Connection lost, trying again…"),
};
const COPY = gettext_noop("Nothing more is sent. What you wrote stays here to be copied.");
const DISCONNECTED = gettext_noop("Disconnected");
const LOGGED_OUT = gettext_noop("Logged out");
const ENDS = {
  4401: [DISCONNECTED, gettext_noop("The server does not accept this page's login.")],
  4403: [gettext_noop("Access was revoked"), gettext_noop("This page's access has ended: the account was logged out or deactivated, or its password was changed.")],
  "signed out": [gettext_noop("Signed out: reload to log in"), gettext_noop("You are logged out.")],
  "logged out": [LOGGED_OUT, gettext_noop("You logged out in another tab of this browser.")],
  "another user": [LOGGED_OUT, gettext_noop("Somebody else is logged in in this browser now.")],
};
const FATES = {
  connecting: gettext_noop("Waits for the connection…"),
  online: gettext_noop("Sending…"),
  degraded: gettext_noop("Waits: the server takes nothing right now…"),
  waiting: gettext_noop("Waits for the connection…"),
  ended: gettext_noop("Not sent: this page's access has ended."),
};

const WAITS = new Set(["connecting", "degraded", "waiting"]);

/** Whether an end means that this browser may keep nothing of the user. */
export function isLogout({ code, reason }) {
  return code === 4403 || ["signed out", "logged out", "another user"].includes(reason);
}

/** Return a client's state as it is for one room. */
export function stateFor({ state, degradedRooms }, roomId) {
  return state === "degraded" && degradedRooms && !degradedRooms.includes(roomId) ? "online" : state;
}

/** Return what becomes of a message that waits in this state, and of one that must wait since when, in milliseconds since 1970. */
export function fateIn(state, since = null) {
  const fate = gettext(FATES[state]);
  if (since === null || !WAITS.has(state)) return fate;
  const time = new Date(since).toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
  return `${fate} ${gettext("Written at {time}.", { time })}`;
}

/** Show a state in a document or shadow root, as the client told it; once more is harmless. */
export function showState(root, { state, code, reason }) {
  const at = (id) => root.getElementById(id);
  if (state === "connecting" && at("state").dataset.state === "waiting") return; // until it is known to be over
  const [word, sentence] = state === "ended" ? endText(code ?? reason) : [gettext(WORDS[state]), reason && refusedText(reason)];
  setText(at("state"), word);
  at("state").dataset.state = state;
  at("retry").hidden = state !== "waiting";
  setText(at("banner-text"), sentence ?? "");
  at("banner").hidden = !sentence;
  at("log-in").hidden = state !== "ended";
}

function endText(cause) {
  const [word, sentence] = ENDS[cause] ?? [DISCONNECTED];
  return [gettext(word), [sentence, COPY].filter(Boolean).map((part) => gettext(part)).join(" ")];
}

function refusedText(reason) {
  return gettext("The server refused the connection: {reason}", { reason: refusalText(null, reason) });
}

// What the connection's state means for people: a word in the bar, and a sentence where something is to be done.

import { setText } from "./patch.js";

const WORDS = {
  connecting: "Connecting…",
  online: "Online",
  degraded: "Degraded: messages wait",
  waiting: "Connection lost, trying again…",
};
const COPY = "Nothing more is sent. What you wrote stays here to be copied.";
const REVOKED = ["Access was revoked", `This page's access has ended: the account was logged out or deactivated, or its password was changed. ${COPY}`];
const ENDS = {
  4401: ["Disconnected", `The server does not accept this page's login. ${COPY}`],
  4403: REVOKED,
  "signed out": ["Signed out: reload to log in", `You are logged out. ${COPY}`],
  "logged out": ["Logged out", `You logged out in another tab of this browser. ${COPY}`],
  "another user": ["Logged out", `Somebody else is logged in in this browser now. ${COPY}`],
};
const FATES = {
  connecting: "Waits for the connection…",
  online: "Sending…",
  degraded: "Waits: the server takes nothing right now…",
  waiting: "Waits for the connection…",
  ended: "Not sent: this page's access has ended.",
};

/** Whether an end means that this browser may keep nothing of the user. */
export function isLogout({ code, reason }) {
  return code === 4403 || ["signed out", "logged out", "another user"].includes(reason);
}

/** Return a client's state as it is for one room. */
export function stateFor({ state, degradedRooms }, roomId) {
  return state === "degraded" && degradedRooms && !degradedRooms.includes(roomId) ? "online" : state;
}

/** Return what becomes of a message that waits in this state. */
export function fateIn(state) {
  return FATES[state];
}

/** Show a state in a document or shadow root, as the client told it; once more is harmless. */
export function showState(root, { state, code, reason }) {
  const at = (id) => root.getElementById(id);
  if (state === "connecting" && at("state").dataset.state === "waiting") return; // until it is known to be over
  const [word, sentence] = state === "ended" ? (ENDS[code ?? reason] ?? ["Disconnected", COPY]) : [WORDS[state], reason && `The server refused the connection: ${reason}`];
  setText(at("state"), word);
  at("state").dataset.state = state;
  at("retry").hidden = state !== "waiting";
  setText(at("banner-text"), sentence ?? "");
  at("banner").hidden = !sentence;
  at("log-in").hidden = state !== "ended";
}

// What a page asks the api for, with the session's cookie: a ticket for the socket, people to invite.

import { SignedOut } from "./link.js";
import { gettext, refusalText } from "./texts.js";

const DEADLINE_MS = 10_000;
const THROTTLED_SECONDS = 60; // the span over which the server counts: the wait where it names none

/** Thrown when the api was asked too often. */
export class Throttled extends Error {
  constructor(retryAfterSeconds) {
    super(gettext("That was too often. Try again in {seconds} s.", { seconds: retryAfterSeconds }));
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** Thrown when the api did not answer, or can't at the moment. */
export class Unreachable extends Error {}

/** Thrown when the api takes no such file; `code` says why, the message says it to people. */
export class Refused extends Error {
  constructor(code, sentence) {
    super(sentence);
    this.code = code;
  }
}

/** Return a function that gets a ticket for one authenticate, and throws SignedOut where the session has ended. */
export function ticketSource(url, csrfToken) {
  return async () => (await ask(url, { method: "POST", headers: { "X-CSRFToken": csrfToken } })).ticket;
}

/** Return a function that finds at most 20 people whose name begins so: [{id, username}]. */
export function peopleFinder(url) {
  return (beginning) => (beginning ? ask(`${url}?search=${encodeURIComponent(beginning)}`) : Promise.resolve([]));
}

/** Return a function that asks for at most 100 people by their ids: [{id, username, avatar}]. */
export function peopleById(url) {
  return (ids) => ask(`${url}?${ids.map((id) => `id=${id}`).join("&")}`);
}

/**
 * Return {members(room, query), bans(room), others(rooms)}: at most 100 members of a room, behind an id or of one, [{id, username, role, muted,
 * muted_until}], who is banned from it, [{user, until}], for those who may know, and whom at most
 * 100 direct rooms are with, [{room, id, username, avatar}].
 */
export function peopleOfRooms(url) {
  return {
    members: (room, query) => ask(`${url}${room}/members/?${new URLSearchParams(query)}`),
    bans: (room) => ask(`${url}${room}/bans/`),
    others: (rooms) => ask(`${url}direct/?${new URLSearchParams(rooms.map((room) => ["room", room]))}`),
  };
}

/**
 * Return {find(query), behind(invitation), invite(room, terms)}: a page of the rooms that everybody may join, {rooms, next}; the
 * room behind an invitation's token, or null; and a new invitation to a room, {token}.
 */
export function doorsOf(roomsUrl, invitationUrl, csrfToken) {
  const headers = { "X-CSRFToken": csrfToken, "Content-Type": "application/json" };
  const post = (url, said) => ask(url, { method: "POST", headers, body: JSON.stringify(said) }, null);
  return {
    find: (query) => ask(`${roomsUrl}discoverable/?${new URLSearchParams(query)}`),
    behind: (invitation) => post(invitationUrl, { invitation }),
    invite: (room, terms) => post(`${roomsUrl}${room}/invitations/`, terms),
  };
}

/**
 * Return a function that finds messages by {text, room, author, after, before, cursor, limit}, the newest first: {messages, next},
 * the cursor of the next page or null.
 */
export function messageFinder(url) {
  return (query) => ask(`${url}?${new URLSearchParams(query)}`);
}

/**
 * Upload a file to a room: {told, abort()}, a promise of what the server says of it, and how to stop. It rejects with `Refused`,
 * `Throttled`, `SignedOut` or `Unreachable`. `heard(part)` hears from 0 to 1 how much is there.
 */
export function upload(url, csrfToken, room, file, uuid, heard) {
  const request = new XMLHttpRequest(); // fetch can't say how far it is
  const told = new Promise((resolve, reject) => {
    const fail = () => reject(new Unreachable(gettext("The server can't be reached right now. Try again in a moment.")));
    request.upload.onprogress = ({ loaded, total }) => heard(total ? loaded / total : 0);
    request.onerror = request.onabort = fail;
    request.onload = () => {
      const { status, response } = request;
      if (status === 200 || status === 201) resolve(response);
      else if (status === 401) reject(new SignedOut(gettext("You are logged out.")));
      else if (status === 429) reject(throttled(request.getResponseHeader("Retry-After")));
      else if (response?.error_code && status < 500) reject(new Refused(response.error_code, refusalText(status === 400 ? "" : response.error_code, plainDetail(response.detail))));
      else reject(unexpected(status));
    };
    request.responseType = "json";
    request.open("POST", url);
    request.setRequestHeader("X-CSRFToken", csrfToken);
    const form = new FormData();
    for (const [name, value] of Object.entries({ room, uuid, file })) form.append(name, value);
    request.send(form);
  });
  return { told, abort: () => request.abort() };
}

/** Return a problem's sentence without the name of the field that it is about. */
function plainDetail(detail) {
  return detail.replace(/^`\w+`: /, "");
}

/** Ask; `missing`, where given, is the answer of what is not there. */
async function ask(url, options = {}, missing = undefined) {
  let answer;
  try {
    answer = await fetch(url, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch {
    throw new Unreachable(gettext("The server can't be reached right now. Try again in a moment."));
  }
  if (answer.status === 401 || answer.status === 403) throw new SignedOut(gettext("You are logged out."));
  if (answer.status === 429) throw throttled(answer.headers.get("Retry-After"));
  if (answer.status === 404 && missing !== undefined) return missing;
  if (!answer.ok) throw unexpected(answer.status);
  return answer.json();
}

function throttled(retryAfter) {
  return new Throttled(Number(retryAfter) || THROTTLED_SECONDS);
}

function unexpected(status) {
  const told = gettext("The server answered {status}. Try again in a moment.", { status });
  return status < 500 ? new Error(told) : new Unreachable(told);
}

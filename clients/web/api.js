// What the chat page asks the api for, with the session's cookie: a ticket for the socket, people to invite.

import { SignedOut } from "./roomlog.js";

const DEADLINE_MS = 10_000;
const { ticketUrl, usersUrl, csrfToken } = document.body.dataset;

/** Return a ticket for one authenticate; throws SignedOut where the session has ended. */
export async function getTicket() {
  const { ticket } = await ask(ticketUrl, { method: "POST", headers: { "X-CSRFToken": csrfToken } });
  return ticket;
}

/** Return at most 20 people whose name begins so: [{id, username}]. */
export function findUsers(beginning) {
  return beginning ? ask(`${usersUrl}?search=${encodeURIComponent(beginning)}`) : Promise.resolve([]);
}

async function ask(url, options = {}) {
  let answer;
  try {
    answer = await fetch(url, { ...options, signal: AbortSignal.timeout(DEADLINE_MS) });
  } catch {
    throw new Error("The server can't be reached right now. Try again in a moment.");
  }
  if (answer.status === 401 || answer.status === 403) throw new SignedOut("You are logged out.");
  if (!answer.ok) throw new Error(`The server answered ${answer.status}. Try again in a moment.`);
  return answer.json();
}

// What the quote of a message shows: never a copy, but the message as it is now. Pure data.

import { gettext } from "./texts.js";

const MAX_QUOTED = 200; // characters of its first line

/** Return {name, text, isQuiet} of a message's quote; undefined: the message is not loaded. */
export function quoteOf(message) {
  if (!message) return { name: "", text: gettext("An earlier message"), isQuiet: true };
  const { user, deleted, attachments = [] } = message;
  const text = message.text || attachments.map(({ name }) => name).join(", ");
  return { name: user.username, text: deleted ? gettext("Message deleted") : firstLine(text), isQuiet: deleted };
}

function firstLine(text) {
  const [line] = text.trim().split("\n", 1);
  const signs = [...line];
  return signs.length > MAX_QUOTED ? `${signs.slice(0, MAX_QUOTED).join("")}…` : line;
}

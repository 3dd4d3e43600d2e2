// The words of page and element: English stands in the code, other languages are told by whoever places them.
//
// Before anything is shown. Names are gettext's own, so that xgettext finds every text.

let translations = new Map(); // English → the page's language
let language = "";

/** Speak a language from now on; `texts` are its translations as JSON, by the English text. */
export function speak(tag, texts) {
  language = tag ?? "";
  translations = new Map(Object.entries(JSON.parse(texts || "{}")));
}

/** Return a text in the page's language, its `{name}`s filled in from `values`. */
export function gettext(english, values = {}) {
  return (translations.get(english) || english).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return a text as it is, to be translated where it is shown: nothing is known while modules load. */
export function gettext_noop(english) {
  return english;
}

/** Return the sentence of a refusal: the server's own, where it is known here, else that of its code. */
export function refusalText(code, sentence) {
  const isOfProject = code === "forbidden"; // its policy says why, in words of its own
  return translations.get(sentence) || (!isOfProject && translations.get(REFUSALS[code])) || sentence;
}

/** Return the locale of dates and numbers: the page's language, as people of the browser's region write it. */
export function locale() {
  const base = (tag) => tag.split("-")[0].toLowerCase();
  return navigator.languages.find((tag) => base(tag) === base(language)) ?? (language || undefined);
}

/** Return a function that writes times in milliseconds so. It makes its format once: that takes longer than all else of a message's row. */
export function timeFormat(options) {
  let format = null; // the language is not known before the first use
  return (time) => (format ??= new Intl.DateTimeFormat(locale(), options)).format(time);
}

const REFUSALS = {
  archived: gettext_noop("The room is archived."),
  banned: gettext_noop("The user is banned from this room."),
  bad_value: gettext_noop("A value has the wrong type or range."),
  busy: gettext_noop("Not accepted; retry with the same uuid later."),
  empty_text: gettext_noop("The text is empty."),
  forbidden: gettext_noop("Your role does not allow this."),
  internal: gettext_noop("The command failed and was not stored."),
  invalid_token: gettext_noop("The token or ticket is not valid."),
  muted: gettext_noop("You are muted in this room."),
  not_found: gettext_noop("It does not exist."),
  not_member: gettext_noop("You are not a member of this room."),
  rate_limited: gettext_noop("Too many commands; slow down."),
  text_too_long: gettext_noop("The text is longer than 4,000 code points."),
  too_many_blocks: gettext_noop("You have blocked the maximum number of people."),
  too_many_pins: gettext_noop("The room has the maximum number of pinned messages."),
  too_many_reactions: gettext_noop("The message has the maximum number of different reactions."),
  too_many_connections: gettext_noop("Too many connections of this user."),
  too_many_rooms: gettext_noop("The user is in the maximum number of rooms."),
  unavailable: gettext_noop("This is switched off in this install."),
  uuid_conflict: gettext_noop("This uuid was already used with different content."),
};

gettext_noop("Not answered for seven days; it may have been sent."); // what roomlog.js says
gettext_noop("no answer");
gettext_noop("not connected");
gettext_noop("the connection was lost");
gettext_noop("In a room of more than 50 members only owners and admins may mention everybody.");
gettext_noop("`mentions` names somebody who is not a member of this room.");
gettext_noop("`attachments` names a file that you have not uploaded to this room, or sent already.");
gettext_noop("Files of this type are not taken here."); // what the server says of uploads
gettext_noop("The file is empty.");
gettext_noop("The image can't be read.");
gettext_noop("The image has more than 30,000,000 pixels.");
gettext_noop("You have uploaded as much as one person may in a day.");
gettext_noop("A direct room has exactly one other member."); // what the server says more of a code
gettext_noop("A direct room can't change.");
gettext_noop("Nobody can block themselves.");
gettext_noop("Nobody can mute or ban themselves.");
gettext_noop("One of you has blocked the other.");
gettext_noop("Staff can't be blocked.");
gettext_noop("Only its author may edit a message.");
gettext_noop("The message is too old to be edited.");
gettext_noop("The rules of this project don't allow it.");
gettext_noop("The user has this role already.");
gettext_noop("The user is already a member.");
gettext_noop("The user is not a member.");
gettext_noop("The user is not banned.");
gettext_noop("The user is not muted.");
gettext_noop("There is no such message in this room.");
gettext_noop("There is no such user.");
gettext_noop("`until` is not in the future.");
gettext_noop("You are in the maximum number of rooms of your own.");

// What may be done to a member: a choice, what will come of it, and a button that does it.
//
// The dialog offers what the user's role allows; the server decides, and its refusal stands in the dialog.

import { AskingDialog } from "./asking.js";
import { memberFacts } from "./member_list.js";
import { bare, plain } from "./names.js";
import { el } from "./nodes.js";
import { setText } from "./patch.js";
import { mayModerate, roleName, rolesToGive } from "./roles.js";
import { gettext, gettext_noop } from "./texts.js";
import { timeText } from "./view.js";

const MUTES = [
  { seconds: 600, label: gettext_noop("Mute for 10 minutes") },
  { seconds: 3_600, label: gettext_noop("Mute for 1 hour") },
  { seconds: 86_400, label: gettext_noop("Mute for 1 day") },
  { seconds: null, label: gettext_noop("Mute without an end") },
];

const BANS = [
  { seconds: 86_400, label: gettext_noop("Ban for 1 day") },
  { seconds: 604_800, label: gettext_noop("Ban for 1 week") },
  { seconds: null, label: gettext_noop("Ban without an end") },
];

/** One dialog for all members. */
export class Moderation {
  #root;
  #parts;
  #dialog;
  #room = null; // id
  #person = null;

  /** `parts` are own (OwnMembership), userId, `opened(dialog)` to show one, `carryOut(action, fields)` which throws a sentence. */
  constructor(root, parts) {
    this.#root = root;
    this.#parts = parts;
    this.#dialog = new AskingDialog(this.#at("member-dialog"), parts.opened, () => this.#carryOut());
    this.#at("member-choice").addEventListener("change", () => this.#paint());
  }

  /** Ask what shall be done to a member of a room. */
  open(roomId, person) {
    this.#room = roomId;
    this.#person = person;
    setText(this.#at("member-title"), bare(person.username));
    setText(this.#at("member-facts"), memberFacts(person));
    const options = [{ value: "", label: gettext("Choose…") }, ...this.#choices()];
    this.#at("member-choice").replaceChildren(...options.map(({ value, label }) => el("option", { value }, label)));
    this.#dialog.open();
    this.#paint();
  }

  close() {
    this.#dialog.close();
  }

  #at(id) {
    return this.#root.getElementById(id);
  }

  /** Return [{value, label, effect: a sentence, verb, action, fields}]. */
  #choices() {
    const { own, userId } = this.#parts;
    const { role } = own.get(this.#room);
    if (this.#person.isBanned) return [unbanChoice(this.#person)];
    const all = rolesToGive(role, this.#person).map((one) => roleChoice(one, this.#person));
    return mayModerate(role, this.#person, userId) ? [...all, ...muteChoices(this.#person), ...endChoices(this.#person)] : all;
  }

  get #chosen() {
    const { value } = this.#at("member-choice");
    return this.#choices().find((choice) => choice.value === value);
  }

  #paint() {
    const chosen = this.#chosen;
    const button = this.#dialog.form.querySelector(".primary");
    setText(this.#at("member-effect"), chosen?.effect ?? "");
    setText(button, chosen?.verb ?? gettext("Confirm"));
    button.disabled = !chosen;
  }

  #carryOut() {
    const { action, fields } = this.#chosen; // no button, no try
    return this.#parts.carryOut(action, { room: this.#room, user: this.#person.id, ...fields() });
  }
}

function roleChoice(role, { username }) {
  const values = { name: plain(username), role: roleName(role) };
  return {
    value: `role ${role}`,
    label: gettext("Role: {role}", values),
    effect: gettext("{name} gets the role {role} in this room.", values),
    verb: gettext("Change the role"),
    action: "set_role",
    fields: () => ({ role }),
  };
}

function muteChoices({ username, muted }) {
  const name = plain(username);
  const effect = (until) => (until ? gettext("{name} can only read until {until}.", { name, until }) : gettext("{name} can only read until somebody unmutes them.", { name }));
  const mutes = lastingChoices(MUTES, gettext("Mute"), "mute_user", effect);
  const unmute = { value: "unmute", label: gettext("Unmute"), effect: gettext("{name} can write again.", { name }), verb: gettext("Unmute"), action: "unmute_user", fields: () => ({}) };
  return muted ? [unmute, ...mutes] : mutes;
}

function unbanChoice({ username }) {
  const effect = gettext("{name} can be invited again.", { name: plain(username) });
  return { value: "unban", label: gettext("Lift the ban"), effect, verb: gettext("Lift the ban"), action: "unban_user", fields: () => ({}) };
}

function endChoices({ username }) {
  const name = plain(username);
  const remove = { value: "remove", label: gettext("Remove from the room"), effect: gettext("{name} leaves the room and can be invited again.", { name }), verb: gettext("Remove"), action: "remove_user", fields: () => ({}) };
  const effect = (until) => (until ? gettext("{name} leaves the room. Nobody can invite them until {until}.", { name, until }) : gettext("{name} leaves the room. Nobody can invite them while they are banned.", { name }));
  return [remove, ...lastingChoices(BANS, gettext("Ban"), "ban_user", effect)];
}

/** Return the choices of something that lasts, one for each length; `effect(until)` is a choice's sentence, `until` "" without an end. */
function lastingChoices(lengths, verb, action, effect) {
  return lengths.map(({ seconds, label }) => ({
    value: `${action} ${seconds}`,
    label: gettext(label),
    effect: effect(seconds ? timeText(end(seconds)) : ""),
    verb,
    action,
    fields: () => (seconds ? { until: end(seconds) } : {}),
  }));
}

/** Return the moment in epoch seconds that is so many seconds from now. */
function end(seconds) {
  return Math.floor(Date.now() / 1000) + seconds;
}

// Roles, and whom they may moderate: the server decides, the page offers nothing that it would refuse.

import { gettext, gettext_noop } from "./texts.js";

const NAMES = { reader: gettext_noop("Reader"), member: gettext_noop("Member"), admin: gettext_noop("Admin"), owner: gettext_noop("Owner") };
const ROLES = Object.keys(NAMES); // the lowest first

/** Return a role in the page's language; one of a later server as it is. */
export function roleName(role) {
  return NAMES[role] ? gettext(NAMES[role]) : role;
}

/** Whether the first role may less than the other. */
export function isUnder(role, other) {
  return ROLES.indexOf(role) < ROLES.indexOf(other);
}

/** Return the roles that somebody of a role may give to a member, but that one's own. */
export function rolesToGive(own, member) {
  if (!mayTouch(own, member)) return [];
  return ROLES.filter((role) => role !== member.role && (own === "owner" || role !== "owner"));
}

/** Whether somebody of a role may mute, ban or remove a member; nobody does so to themselves. */
export function mayModerate(own, member, userId) {
  return member.id !== userId && mayTouch(own, member);
}

function mayTouch(own, { role }) {
  return own === "owner" || (own === "admin" && role !== "owner");
}

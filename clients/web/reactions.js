// Reactions to messages: what an event leaves of a message's reactions, and what waiting commands will. Pure data.
//
// A line keeps them as [{emoji, count, users, mine}], the emoji with the earliest reaction first, and `reacted_seq`: the
// seq of the last event that is in them.

const MAX_NAMED = 5; // reactors of an emoji that are known by name

/** Return a message of the wire as lines keep it. */
export function lineOf(message) {
  const reactions = Object.entries(message.reactions ?? {}).map(([emoji, facts]) => ({ emoji, ...facts }));
  return { ...message, reactions };
}

/** Whether an event or a command adds a reaction or takes one away. */
export function isReaction({ action }) {
  return action === "add_reaction" || action === "remove_reaction";
}

/** Return reactions after such an event; `userId` says whose are `mine`. */
export function reacted(reactions, { action, emoji, user }, userId) {
  const isAdded = action === "add_reaction";
  const before = reactions.find((one) => one.emoji === emoji);
  if (!before && !isAdded) return reactions;
  const { count, users, mine } = before ?? { count: 0, users: [], mine: false };
  const others = users.filter(({ id }) => id !== user.id);
  const after = {
    emoji,
    count: count + (isAdded ? 1 : -1),
    users: isAdded ? [...others, user].slice(0, MAX_NAMED) : others,
    mine: user.id === userId ? isAdded : mine,
  };
  const all = before ? reactions.map((one) => (one === before ? after : one)) : [...reactions, after];
  return all.filter((one) => one.count > 0);
}

/** Return reactions as they will be after a user's waiting commands, oldest first; those that wait have `isWaiting`. */
export function expected(reactions, commands, user) {
  const waiting = new Set(commands.map(({ emoji }) => emoji));
  const all = commands.reduce((known, command) => {
    const isMine = known.some(({ emoji, mine }) => emoji === command.emoji && mine);
    return isMine === (command.action === "add_reaction") ? known : reacted(known, { ...command, user }, user.id);
  }, reactions);
  return all.map((one) => ({ ...one, isWaiting: waiting.has(one.emoji) }));
}

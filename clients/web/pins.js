// Pinned messages: what an event or a waiting command leaves of a message's pin. Pure data.

/** Whether an event or a command pins a message or takes its pin away. */
export function isPin({ action }) {
  return action === "pin_message" || action === "unpin_message";
}

/** Return whether such an event or command leaves the message pinned. */
export function pins({ action }) {
  return action === "pin_message";
}

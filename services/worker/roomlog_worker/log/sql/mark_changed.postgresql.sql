-- Set which edit, and which event of a reaction, is the last one of each message that has a new one.
--   $1  messages, a JSON array of {room, seq, edit, reaction}; null: as it was
-- Locks: the messages' rows. Whoever changes one holds its room's head, which the transaction holds already.
-- Index: seq_once
PREPARE roomlog_mark_changed (text) AS
UPDATE roomlog_roomevent AS event
SET
    edited_seq = coalesce(given.edit, event.edited_seq),
    reacted_seq = coalesce(given.reaction, event.reacted_seq)
FROM json_to_recordset($1::json) AS given (room uuid, seq bigint, edit bigint, reaction bigint)
WHERE event.room_id = given.room AND event.seq = given.seq

-- Set which edit, and which event of a reaction, is the last one of each message that has a new one, and which
-- event pinned it.
--   $1  messages, a JSON array of {room, seq, edit, reaction, pin}; null: as it was; pin 0: it is not pinned
-- Every seq is between those bounds: with them PostgreSQL expects one row and descends the index, also where the
-- log is in partitions, whose scan seems cheaper than a hundred look-ups in each.
-- Locks: the messages' rows. Whoever changes one holds its room's head, which the transaction holds already.
-- Index: seq_once
PREPARE roomlog_mark_changed (text) AS
UPDATE roomlog_roomevent AS event
SET
    edited_seq = coalesce(given.edit, event.edited_seq),
    reacted_seq = coalesce(given.reaction, event.reacted_seq),
    pinned_seq = nullif(coalesce(given.pin, event.pinned_seq), 0)
FROM json_to_recordset($1::json) AS given (room uuid, seq bigint, edit bigint, reaction bigint, pin bigint)
WHERE event.room_id = given.room AND event.seq = given.seq AND given.seq BETWEEN 1 AND 9223372036854775806

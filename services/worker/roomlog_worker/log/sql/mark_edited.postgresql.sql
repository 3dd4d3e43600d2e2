-- Set which edit is the last one of each edited message.
--   $1  messages, a JSON array of {room, seq, edit}
-- Locks: the messages' rows. Whoever changes one holds its room's head, which the transaction holds already.
-- Index: seq_once
PREPARE roomlog_mark_edited (text) AS
UPDATE roomlog_roomevent AS event
SET edited_seq = given.edit
FROM json_to_recordset($1::json) AS given (room uuid, seq bigint, edit bigint)
WHERE event.room_id = given.room AND event.seq = given.seq

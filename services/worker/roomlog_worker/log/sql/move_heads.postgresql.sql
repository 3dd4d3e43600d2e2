-- Set each room's last seq and number of messages to those of its new events.
--   $1  heads, a JSON array of {room, seq, messages}
-- Locks: the heads, which the transaction holds already.
-- Index: roomlog_roomhead_pkey
PREPARE roomlog_move_heads (text) AS
UPDATE roomlog_roomhead
SET last_seq = given.seq, messages = given.messages
FROM json_to_recordset($1::json) AS given (room uuid, seq bigint, messages bigint)
WHERE room_id = given.room

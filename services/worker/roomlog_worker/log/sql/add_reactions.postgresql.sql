-- Insert reactions; one that stands already gets the seq of its new event.
--   $1  reactions, a JSON array of {room, target, emoji, person, seq}
-- Locks: the rows. Whoever changes them holds their room's head, which the transaction holds already.
-- Index: none is read; reaction_once finds what stands already.
PREPARE roomlog_add_reactions (text) AS
INSERT INTO roomlog_reaction (room_id, target, emoji, user_id, seq)
SELECT room, target, emoji, person, seq
FROM json_to_recordset($1::json) AS given (room uuid, target bigint, emoji text, person bigint, seq bigint)
ON CONFLICT (room_id, target, emoji, user_id) DO UPDATE SET seq = excluded.seq

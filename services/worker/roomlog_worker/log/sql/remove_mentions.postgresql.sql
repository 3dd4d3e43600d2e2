-- Delete whom messages mention, because they are edited.
--   $1  messages, a JSON array of {room, target}
-- Locks: the rows. Whoever changes them holds their room's head, which the transaction holds already.
-- Index: mention_once
PREPARE roomlog_remove_mentions (text) AS
DELETE FROM roomlog_mention AS mention
USING json_to_recordset($1::json) AS given (room uuid, target bigint)
WHERE mention.room_id = given.room AND mention.target = given.target

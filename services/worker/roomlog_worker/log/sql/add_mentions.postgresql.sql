-- Insert whom messages mention.
--   $1  people, a JSON array of {room, target, person}
-- Locks: at COMMIT, for the foreign keys, the rooms and people FOR KEY SHARE.
-- Index: none is read; mention_once refuses a second row of a person and a message.
PREPARE roomlog_add_mentions (text) AS
INSERT INTO roomlog_mention (room_id, target, user_id)
SELECT room, target, person
FROM json_to_recordset($1::json) AS given (room uuid, target bigint, person bigint)

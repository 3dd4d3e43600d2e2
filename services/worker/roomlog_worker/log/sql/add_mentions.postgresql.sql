-- Insert whom messages mention, but for those who have blocked the author.
--   $1  people, a JSON array of {room, target, person, author}
-- Locks: at COMMIT, for the foreign keys, the rooms and people FOR KEY SHARE.
-- Index: block_once; mention_once refuses a second row of a person and a message.
PREPARE roomlog_add_mentions (text) AS
INSERT INTO roomlog_mention (room_id, target, user_id)
SELECT room, target, person
FROM json_to_recordset($1::json) AS given (room uuid, target bigint, person bigint, author bigint)
WHERE NOT EXISTS (SELECT 1 FROM roomlog_block WHERE blocker_id = person AND blocked_id = author)

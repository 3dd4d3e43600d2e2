-- Insert whom messages mention, but for those who have blocked the author.
--   1  people, a JSON array of {room, target, person, author}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: block_once; mention_once refuses a second row of a person and a message.
INSERT INTO roomlog_mention (room_id, target, user_id)
SELECT
    json_extract(value, '$.room'),
    json_extract(value, '$.target'),
    json_extract(value, '$.person')
FROM json_each(%s)
WHERE NOT EXISTS (
    SELECT 1 FROM roomlog_block
    WHERE
        blocker_id = json_extract(value, '$.person')
        AND blocked_id = json_extract(value, '$.author')
)

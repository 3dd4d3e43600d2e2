-- Delete whom messages mention, because they are edited.
--   1  messages, a JSON array of {room, target}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: mention_once
DELETE FROM roomlog_mention
WHERE (room_id, target) IN (
    SELECT
        json_extract(value, '$.room'),
        json_extract(value, '$.target')
    FROM json_each(%s)
)

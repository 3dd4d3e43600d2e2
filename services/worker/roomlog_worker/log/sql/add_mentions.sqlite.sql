-- Insert whom messages mention.
--   1  people, a JSON array of {room, target, person}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: none is read; mention_once refuses a second row of a person and a message.
INSERT INTO roomlog_mention (room_id, target, user_id)
SELECT
    json_extract(value, '$.room'),
    json_extract(value, '$.target'),
    json_extract(value, '$.person')
FROM json_each(%s)

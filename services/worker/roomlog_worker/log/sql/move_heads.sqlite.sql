-- Set each room's last seq and number of messages to those of its new events.
--   1  heads, a JSON array of {room, seq, messages}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: the primary key
UPDATE roomlog_roomhead
SET last_seq = given.seq, messages = given.messages
FROM (
    SELECT
        json_extract(value, '$.room') AS room,
        json_extract(value, '$.seq') AS seq,
        json_extract(value, '$.messages') AS messages
    FROM json_each(%s)
) AS given
WHERE room_id = given.room

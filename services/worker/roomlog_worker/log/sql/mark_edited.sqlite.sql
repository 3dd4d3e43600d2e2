-- Set which edit is the last one of each edited message.
--   1  messages, a JSON array of {room, seq, edit}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: seq_once
UPDATE roomlog_roomevent
SET edited_seq = given.edit
FROM (
    SELECT
        json_extract(value, '$.room') AS room,
        json_extract(value, '$.seq') AS seq,
        json_extract(value, '$.edit') AS edit
    FROM json_each(%s)
) AS given
WHERE roomlog_roomevent.room_id = given.room AND roomlog_roomevent.seq = given.seq

-- Insert events of one moment, in order, and return the id that each got.
--   1  now
--   2  events, a JSON array of objects with the keys below
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: none is read; seq_once and command_once refuse a second event of a seq or of a command.
INSERT INTO roomlog_roomevent
    (room_id, seq, number, kind, user_id, uuid, body_hash, text, data, target, date_created)
SELECT room, seq, number, kind, person, uuid, hash, body, data, target, %s
FROM (
    SELECT
        json_extract(value, '$.room') AS room,
        json_extract(value, '$.seq') AS seq,
        json_extract(value, '$.number') AS number,
        json_extract(value, '$.kind') AS kind,
        json_extract(value, '$.person') AS person,
        json_extract(value, '$.uuid') AS uuid,
        json_extract(value, '$.hash') AS hash,
        json_extract(value, '$.body') AS body,
        json_extract(value, '$.data') AS data,
        json_extract(value, '$.target') AS target
    FROM json_each(%s)
) AS given
RETURNING room_id, seq, id

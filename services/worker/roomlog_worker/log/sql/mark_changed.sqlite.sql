-- Set which edit, and which event of a reaction, is the last one of each message that has a new one, and which
-- event pinned it.
--   1  messages, a JSON array of {room, seq, edit, reaction, pin}; null: as it was; pin 0: it is not pinned
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: seq_once
UPDATE roomlog_roomevent
SET
    edited_seq = coalesce(given.edit, edited_seq),
    reacted_seq = coalesce(given.reaction, reacted_seq),
    pinned_seq = nullif(coalesce(given.pin, pinned_seq), 0)
FROM (
    SELECT
        json_extract(value, '$.room') AS room,
        json_extract(value, '$.seq') AS seq,
        json_extract(value, '$.edit') AS edit,
        json_extract(value, '$.reaction') AS reaction,
        json_extract(value, '$.pin') AS pin
    FROM json_each(%s)
) AS given
WHERE roomlog_roomevent.room_id = given.room AND roomlog_roomevent.seq = given.seq

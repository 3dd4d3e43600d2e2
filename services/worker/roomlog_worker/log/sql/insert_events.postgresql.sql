-- Insert events of one moment, in order, and return the id that each got.
--   $1  now
--   $2  events, a JSON array of objects with the keys below
-- Locks: at COMMIT, for the foreign keys, the rooms and senders FOR KEY SHARE. The heads, which the transaction
-- holds already, keep other writers of these rooms out.
-- Index: none is read; seq_once and command_once refuse a second event of a seq or of a command.
PREPARE roomlog_insert_events (timestamptz, text) AS
INSERT INTO roomlog_roomevent
    (room_id, seq, number, kind, user_id, uuid, body_hash, text, data, target, date_created)
SELECT room, seq, number, kind, person, uuid, hash, body, data, target, $1
FROM json_to_recordset($2::json) AS given (
    room uuid,
    seq bigint,
    number bigint,
    kind text,
    person bigint,
    uuid text,
    hash text,
    body text,
    data jsonb,
    target bigint
)
RETURNING room_id, seq, id

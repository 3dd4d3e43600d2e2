-- Insert reactions; one that stands already gets the seq of its new event.
--   1  reactions, a JSON array of {room, target, emoji, person, seq}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: none is read; reaction_once finds what stands already.
INSERT INTO roomlog_reaction (room_id, target, emoji, user_id, seq)
SELECT
    json_extract(value, '$.room'),
    json_extract(value, '$.target'),
    json_extract(value, '$.emoji'),
    json_extract(value, '$.person'),
    json_extract(value, '$.seq')
FROM json_each(%s)
WHERE TRUE  -- without it SQLite takes ON for a join's
ON CONFLICT (room_id, target, emoji, user_id) DO UPDATE SET seq = excluded.seq

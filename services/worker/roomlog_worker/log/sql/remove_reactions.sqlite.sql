-- Delete reactions; one that is not there is passed over.
--   1  reactions, a JSON array of {room, target, emoji, person}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: reaction_once
DELETE FROM roomlog_reaction
WHERE (room_id, target, emoji, user_id) IN (
    SELECT
        json_extract(value, '$.room'),
        json_extract(value, '$.target'),
        json_extract(value, '$.emoji'),
        json_extract(value, '$.person')
    FROM json_each(%s)
)

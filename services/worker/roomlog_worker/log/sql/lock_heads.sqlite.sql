-- Return the heads of these rooms with their rooms.
--   1  rooms, a JSON array
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: the primary keys of both tables
SELECT head.room_id, head.epoch, head.last_seq, head.messages, room.kind, room.archived_at IS NOT NULL
FROM roomlog_roomhead AS head
JOIN roomlog_chatroom AS room ON room.id = head.room_id
WHERE head.room_id IN (SELECT value FROM json_each(%s))
ORDER BY head.room_id

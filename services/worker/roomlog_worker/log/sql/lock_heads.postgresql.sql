-- Lock the heads of these rooms until the transaction ends, and return them with their rooms.
--   $1  rooms, a JSON array
-- Locks: the heads, in id order. It leaves out a head that another transaction holds; readers pass.
-- Index: roomlog_roomhead_pkey, roomlog_chatroom_pkey
PREPARE roomlog_lock_heads (text) AS
SELECT head.room_id, head.epoch, head.last_seq, head.messages, room.kind, room.archived_at IS NOT NULL
FROM roomlog_roomhead AS head
JOIN roomlog_chatroom AS room ON room.id = head.room_id
WHERE head.room_id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::uuid))
ORDER BY head.room_id
FOR NO KEY UPDATE OF head SKIP LOCKED

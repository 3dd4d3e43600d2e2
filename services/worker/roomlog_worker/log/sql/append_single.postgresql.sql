-- Append one message that was decided on the room cache, if everything is still as the cache says. Return a
-- row if it was stored; no row means that nothing was written.
--   $1  now                $5  room                          $9   sender
--   $2  shard              $6  epoch of the head             $10  id of the event
--   $3  owner of the lease $7  seq of the event              $11  uuid of the command
--   $4  epoch of the lease $8  messages, this one included   $12  hash of the body, $13 text
-- Locks: the lease, then the head; it waits for a holder up to lock_timeout. At its commit, for the foreign
-- keys, the room and the sender FOR KEY SHARE. It is a transaction of its own. Its snapshot is older than its
-- locks, but PostgreSQL compares lease and head again once they are locked. Whatever changes who may write in
-- a room is an event and moves the head, so no membership, role or mute can have changed in between. What no
-- event changes (a block, a row by hand) is as of the snapshot, and a mute's end counts by $1.
-- Index: roomlog_roomhead_pkey, roomlog_shardlease_pkey, roomlog_chatroom_pkey, member_once, in direct
-- rooms block_once; command_once
-- refuses a repeat.
PREPARE roomlog_append_single (
    timestamptz, integer, uuid, bigint, uuid, text, bigint, bigint, bigint, bigint, text, text, text
) AS
WITH moved AS (
    UPDATE roomlog_roomhead
    SET last_seq = $7, messages = $8
    WHERE room_id = $5 AND epoch = $6 AND last_seq = $7 - 1
      AND (SELECT true FROM roomlog_shardlease
           WHERE shard = $2 AND owner = $3 AND epoch = $4 FOR NO KEY UPDATE)
      AND (SELECT archived_at IS NULL AND (kind <> 'direct' OR NOT EXISTS (
               SELECT 1 FROM roomlog_membership AS other
               WHERE other.room_id = $5 AND other.user_id <> $9
                 AND (EXISTS (SELECT 1 FROM roomlog_block
                              WHERE blocker_id = other.user_id AND blocked_id = $9)
                      OR EXISTS (SELECT 1 FROM roomlog_block
                                 WHERE blocker_id = $9 AND blocked_id = other.user_id))))
           FROM roomlog_chatroom WHERE id = $5)
      AND (SELECT role <> 'reader' AND coalesce(muted_until <= $1, true) FROM roomlog_membership
           WHERE room_id = $5 AND user_id = $9)
    RETURNING 1
)
INSERT INTO roomlog_roomevent
    (id, room_id, seq, number, kind, user_id, uuid, body_hash, text, date_created)
SELECT $10, $5, $7, $8, 'new_message', $9, $11, $12, $13, $1
FROM moved
RETURNING 1

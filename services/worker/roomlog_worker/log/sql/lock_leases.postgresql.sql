-- Lock the leases of these shards until the transaction ends, and return them as they are under the lock.
--   $1  shards, a JSON array
-- Locks: the leases, in shard order. It waits for a holder; readers pass.
-- Index: roomlog_shardlease_pkey
PREPARE roomlog_lock_leases (text) AS
SELECT shard, owner, epoch
FROM roomlog_shardlease
WHERE shard = ANY (ARRAY(SELECT json_array_elements_text($1::json)::integer))
ORDER BY shard
FOR NO KEY UPDATE

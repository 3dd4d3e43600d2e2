-- Return the leases of these shards.
--   1  shards, a JSON array
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: the primary key, which is the rowid
SELECT shard, owner, epoch
FROM roomlog_shardlease
WHERE shard IN (SELECT value FROM json_each(%s))
ORDER BY shard

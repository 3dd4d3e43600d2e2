-- Return which of these people there are.
--   1  people, a JSON array
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: the primary key, which is the rowid
SELECT id
FROM roomlog_person
WHERE id IN (SELECT value FROM json_each(%s))
ORDER BY id

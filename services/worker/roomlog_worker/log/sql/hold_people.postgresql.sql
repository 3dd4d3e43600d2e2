-- Keep these people's accounts from being deleted until the transaction ends, and return whom it holds.
--   $1  people, a JSON array
-- Locks: the people FOR KEY SHARE, in id order, which only a deletion minds. It leaves out whose account
-- another transaction is deleting.
-- Index: roomlog_person_pkey
PREPARE roomlog_hold_people (text) AS
SELECT id
FROM roomlog_person
WHERE id = ANY (ARRAY(SELECT json_array_elements_text($1::json)::bigint))
ORDER BY id
FOR KEY SHARE SKIP LOCKED

-- Return what the database knows of each command: its sender, the sender's membership, and the event that it
-- already is. Subqueries, because they only ever descend indexes; the plan of a join suits as many rows as
-- there were when it was made.
--   $1  now, which decides who is muted
--   $2  commands, a JSON array of {uuid, room, person}
-- Locks: none. It runs after the heads are locked, so it sees the events of their earlier holders.
-- Index: roomlog_person_pkey, member_once, command_once
PREPARE roomlog_read_commands (timestamptz, text) AS
SELECT
    given.room,
    given.person,
    (SELECT name FROM roomlog_person WHERE id = given.person),
    (SELECT role FROM roomlog_membership WHERE room_id = given.room AND user_id = given.person),
    (SELECT muted_until > $1 FROM roomlog_membership WHERE room_id = given.room AND user_id = given.person),
    (SELECT event.id FROM roomlog_roomevent AS event
     WHERE event.uuid = given.uuid AND event.room_id = given.room AND event.user_id = given.person)
FROM json_to_recordset($2::json) AS given (uuid text, room uuid, person bigint)

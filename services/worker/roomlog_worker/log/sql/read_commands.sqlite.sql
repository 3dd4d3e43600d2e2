-- Return what the database knows of each command: its sender, the sender's membership, and the event that it
-- already is.
--   1  now, which decides who is muted
--   2  commands, a JSON array of {uuid, room, person}
-- Locks: none. The transaction has been SQLite's only writer since its BEGIN IMMEDIATE.
-- Index: the primary key of people, member_once, command_once
SELECT
    given.room,
    given.person,
    (SELECT name FROM roomlog_person WHERE id = given.person),
    (SELECT role FROM roomlog_membership WHERE room_id = given.room AND user_id = given.person),
    (SELECT muted_until > %s FROM roomlog_membership WHERE room_id = given.room AND user_id = given.person),
    (SELECT event.id FROM roomlog_roomevent AS event
     WHERE event.uuid = given.uuid AND event.room_id = given.room AND event.user_id = given.person)
FROM (
    SELECT
        json_extract(value, '$.uuid') AS uuid,
        json_extract(value, '$.room') AS room,
        json_extract(value, '$.person') AS person
    FROM json_each(%s)
) AS given

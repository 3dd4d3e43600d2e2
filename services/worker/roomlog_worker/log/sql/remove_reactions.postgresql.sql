-- Delete reactions; one that is not there is passed over.
--   $1  reactions, a JSON array of {room, target, emoji, person}
-- Locks: the rows. Whoever changes them holds their room's head, which the transaction holds already.
-- Index: reaction_once
PREPARE roomlog_remove_reactions (text) AS
DELETE FROM roomlog_reaction AS reaction
USING json_to_recordset($1::json) AS given (room uuid, target bigint, emoji text, person bigint)
WHERE
    reaction.room_id = given.room AND reaction.target = given.target
    AND reaction.emoji = given.emoji AND reaction.user_id = given.person

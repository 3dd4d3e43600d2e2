-- Take ids for events that will be inserted with them. An id that is not used leaves a hole.
--   $1  how many
-- Locks: none. A sequence belongs to no transaction.
-- Index: none
PREPARE roomlog_reserve_ids (integer) AS
SELECT nextval(pg_get_serial_sequence('roomlog_roomevent', 'id'))
FROM generate_series(1, $1)

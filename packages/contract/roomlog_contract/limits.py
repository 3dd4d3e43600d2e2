"""Every limit of the wire, with its unit and its reason. Changing one changes the specification."""

from typing import Final

FRAME_BYTES: Final = 64 * 1024
"""Largest client frame: a text of 4,000 code points, all escaped as surrogate pairs, is 48 KB."""

TEXT_CODE_POINTS: Final = 4_000
"""Longest message text: two screens; longer things are files."""

MESSAGE_DATA_BYTES: Final = 4 * 1024
"""Longest `data` of a message, as JSON: a card or a few links; larger things are stored elsewhere."""

EMOJI_CODE_POINTS: Final = 16
"""Longest `emoji`: a family of four with skin tones has eleven."""

REACTIONS_PER_MESSAGE: Final = 20
"""Different emoji below one message: two rows of them on a phone."""

REACTORS_NAMED: Final = 5
"""People whom a message names for each emoji below it; all are counted."""

PINS_PER_ROOM: Final = 50
"""Pinned messages of one room: more than anybody reads, and few enough for one answer."""

MENTIONS_PER_MESSAGE: Final = 20
"""People whom a message mentions: more are the whole room. Each is a row, and each is told."""

ROOM_MENTION_MEMBERS: Final = 50
"""Members of a room in which everybody who may write may also mention all: people who know each other."""

ATTACHMENTS_PER_MESSAGE: Final = 10
"""Files of one message: an album of a phone; more are another message."""

ATTACHMENT_NAME_CODE_POINTS: Final = 120
"""Longest name of a file: ten of them fit beside the longest text."""

JSON_DEPTH: Final = 16
"""Deepest nesting of arrays and objects: commands need three."""

JSON_MARKS: Final = 4_096
"""Commas, colons and opening brackets outside of strings: 500 cursors have 3,000. Each costs the strict parse
up to 2 µs, so a frame of nothing else would hold up everybody for 40 ms."""

EXACT_INTEGER: Final = 2**53
"""Beyond this a JavaScript client would read another number than was sent."""

UUID_CODE_POINTS: Final = 64
"""Longest uuid of a command: a dashed UUID has 36; prefixes are allowed."""

REPEAT_DAYS: Final = 7
"""For so long after it first sent a command a client may repeat it: a phone that was away for a holiday week.
No log is kept for less, because a repeat is found by its event."""

NAME_CODE_POINTS: Final = 200
"""Longest room name."""

TOPIC_CODE_POINTS: Final = 250
"""Longest topic of a room."""

ROOM_MEMBERS_AT_CREATION: Final = 100
"""Members named in one create_room; more are invited one by one."""

UNTIL_SECONDS: Final = 253_402_214_400
"""9999-12-31 in UTC; `until` is before it. Both databases hold that moment, and every time zone has it."""

ROOMS_PER_USER: Final = 500
"""Rooms that one person may have made and still be in, and rooms in which others may put one, by default."""

ROOM_CREATIONS_PER_MINUTE: Final = 60
"""Rooms that one person may make in a minute, by default: more than anybody fills with people."""

ROOM_CREATIONS_BURST: Final = 5
"""Of these, in any five seconds; a twelfth of a setting that allows more than 60. Each may have a hundred
members, and costs the others of its shard as much as hundreds of messages."""

INVITATION_CODE_POINTS: Final = 64
"""Longest token of an invitation: 192 bits in base64 are 32."""

CURSORS: Final = 500
"""Cursors in one authenticate: of the longest, with the longest token, a frame of 64 KiB holds 530."""

REPORT_COMMENT_CODE_POINTS: Final = 500
"""A few sentences: moderators see the message itself."""

REPORTS_PER_MINUTE: Final = 20
"""Messages that one person reports: faster than anybody reads, and no flood of the moderators' queue."""

BLOCKS_PER_USER: Final = 1_000
"""People whom one person blocks: each count of unread messages looks through them."""

PAGE_BLOCKS: Final = 200
"""People in one answer to list_blocks: of the longest names, escaped, below PAGE_BYTES."""

TOKEN_CODE_POINTS: Final = 4096
"""A signed token with a few claims takes a kilobyte."""

AUTHENTICATE_ROOMS: Final = 80
"""Rooms in one frame of the answer to authenticate: with the longest names and topics, all escaped, below
PAGE_BYTES."""

HISTORY_MESSAGES: Final = 100
"""Most messages in one answer to get_history."""

SELECT_MESSAGES: Final = 20
"""Messages in an answer to select_room without since."""

UNREAD_COUNTED: Final = 100
"""Unread messages of a room that are counted at most: people see 99+, and a list of 1,000 rooms is cheap."""

UNREAD_LOOKED_AT: Final = 200
"""Events above a mark that are looked at for one's own and deleted messages, which are not unread."""

PAGE_EVENTS: Final = 200
"""Most events in one page of select_room with since, and of a gateway's gap fetch."""

PAGE_BYTES: Final = 256 * 1024
"""Largest answer or event: common clients take a mebibyte, and four of these wait in an outbox."""

PAGE_ROOMS: Final = 500
"""Most rooms in one answer to list_rooms, and in one heads or sync_required."""

COMMANDS_PER_SECOND: Final = 20
"""Sustained commands a second and connection: nobody types faster."""

COMMANDS_BURST: Final = 40
"""Commands that may come at once, for example at the start of a page."""

USER_COMMANDS_PER_SECOND: Final = 40
"""Sustained commands a second of all connections of one user to one gateway: two that are fully used."""

USER_COMMANDS_BURST: Final = 80
"""The same at once: two pages that start together."""

FRAMES_PER_SECOND: Final = 512
"""Frames of any kind: 20 of the largest messages in pieces of 4 KiB are 320."""

FRAMES_BURST: Final = 2_048
"""Frames at once: three of the largest messages in pieces of 100 bytes."""

BYTES_PER_SECOND: Final = 2 * 1024 * 1024
"""Bytes of all frames: 20 of the largest messages are 1.25 MiB."""

BYTES_BURST: Final = 4 * 1024 * 1024
"""Bytes at once: 40 of the largest messages are 2.5 MiB."""

STRANGER_FRAMES_PER_SECOND: Final = 20
"""Frames before authenticate has succeeded: as many as commands."""

STRANGER_FRAMES_BURST: Final = 256
"""Frames at once before it: a flood of commands is refused and closed by its own count, of 240."""

STRANGER_BYTES_PER_SECOND: Final = 64 * 1024
"""Bytes before it."""

STRANGER_BYTES_BURST: Final = 256 * 1024
"""Bytes at once before it: three of the largest authenticates."""

FLOOD_SECONDS: Final = 3.0
"""A client that sends more than these for so long, and does not stop, is closed with 1008."""

UNANSWERED_COMMANDS: Final = 32
"""Commands in flight a connection; the next gets busy, so one client can't fill a stream."""

UNANSWERED_SECONDS: Final = 15.0
"""After this an unanswered command no longer counts: its answer is unknown."""

CONNECTIONS_PER_USER: Final = 10
"""Open connections of one user on one gateway: phones, tabs, bots."""

PLACE_SECONDS: Final = 3.0
"""When a user's connections are full and another one authenticates: for those to answer a ping. A phone that
lost its network leaves sockets behind, and must not wait until the pings have found them."""

AUTHENTICATE_SECONDS: Final = 5.0
"""Time from open to the authenticate frame."""

IDENTIFY_SECONDS: Final = 10.0
"""Time for a worker to answer authenticate, then 1013."""

INVALID_TOKENS: Final = 3
"""Wrong tokens on one connection before 4401."""

EXPIRING_SECONDS: Final = 60.0
"""How long before its token ends a connection is told, or half the time that is left where that is less."""

RENEWAL_SECONDS: Final = 1.0
"""Between two renewals of one connection: each is two looks at the user's rooms."""

TYPING_SECONDS: Final = 3.0
"""Between two announcements of one person in one room; what comes earlier is answered and goes no further."""

TYPING_SHOWN_SECONDS: Final = 5.0
"""How long clients show a name without a repeat: one that is lost or late makes it flicker for no one."""

TYPING_FRAME_SECONDS: Final = 1.0
"""Between two `room_typing` of a room to one connection."""

TYPING_NAMES: Final = 5
"""People in one `room_typing`, and announcements that a gateway publishes in a second for a room: more names
than fit below the messages."""

TYPING_CONNECTIONS: Final = 200
"""Connections that watch a room at one gateway up to which they are told: beyond it somebody types all the
time."""

WATCHED_ROOMS: Final = 8
"""Rooms that one connection watches: more are not before anybody's eyes at once."""

PRESENCE_USERS: Final = 200
"""People of a room who are named when they are connected; of more only the number is told."""

PRESENCE_FRAME_SECONDS: Final = 1.0
"""Between two `room_presence` of a room to one connection, and two statements of one gateway about it."""

PRESENCE_ASK_SECONDS: Final = 10.0
"""Between two questions who of a watched room is connected, of all gateways together."""

PRESENCE_KEPT_SECONDS: Final = 25.0
"""How long a gateway's statement counts, and a question is answered: two of them may be lost. Whoever was
connected to a gateway that died is gone by then."""

RECEIPT_MEMBERS: Final = 50
"""Members of a room up to which its receipts are told: of more nobody reads a list."""

RECEIPTS_FRAME_SECONDS: Final = 1.0
"""Between two `room_receipts` of a room to one connection."""

RECEIPTS_ASK_SECONDS: Final = 20.0
"""Between two questions for the marks of a room whose receipts are told: they make up for what was lost."""

PING_SECONDS: Final = 25.0
"""Between pings: below the 30 s idle limit of common proxies."""

OUTBOX_EVENTS: Final = 256
"""Frames that wait for one slow connection before it is asked to resynchronise."""

OUTBOX_BYTES: Final = 1024 * 1024
"""Bytes that wait for one slow connection: 256 of the usual 4 KiB at most."""

HELD_EVENTS: Final = 256
"""Events held for a gap or during a select_room before they are read again instead."""

HELD_SECONDS: Final = 0.050
"""How long an event waits for its predecessor before the gap is fetched: above the jitter of one Redis."""

DEGRADED_ROOMS: Final = 500
"""Rooms that `degraded` names; of more it says nothing, and means all."""

STALLED_SECONDS: Final = 10.0
"""A connection whose socket takes nothing for this long is closed with 4408."""

STREAM_ENTRIES: Final = 10_000
"""Length of a shard's stream at which the gate shuts: about two seconds of one worker's work."""

STREAM_BYTES: Final = 32 * 1024 * 1024
"""Bytes of a shard's stream at which the gate shuts, so that 64 shards fit into 2 GiB."""

STREAM_BATCH: Final = 256
"""Entries in one transaction over all owned shards: beyond it the rate gains nothing, the wait does."""

ENTRY_TRIES: Final = 5
"""Failures of an entry alone before it becomes a dead letter."""

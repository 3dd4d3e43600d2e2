"""The tables. A room's log is RoomEvent; everything else says who may write to it and how far it is.

Its `user`, the wire's word, is a Person; only Person knows the project's users. Rows of RoomEvent, RoomHead
and Membership are written by workers only, inside the transaction that holds the room's head. Only read marks
move without it (`read_marks`).
Constraints live here, in the database, before any check in Python.
"""

from typing import ClassVar, Final

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from roomlog_contract.limits import EMOJI_CODE_POINTS
from roomlog_contract.shards import DEFAULT_SHARDS, SHARD_NUMBERS

from .attachment import Attachment as Attachment  # noqa: PLC0414 - a table like these
from .ban import Ban as Ban  # noqa: PLC0414
from .block import Block as Block  # noqa: PLC0414
from .bot_token import BotToken as BotToken  # noqa: PLC0414
from .chat_room import ChatRoom as ChatRoom  # noqa: PLC0414
from .hooks.incoming_hook import IncomingHook as IncomingHook  # noqa: PLC0414
from .hooks.webhook import Webhook as Webhook  # noqa: PLC0414
from .hooks.webhook import WebhookCursor as WebhookCursor  # noqa: PLC0414
from .invitation import Invitation as Invitation  # noqa: PLC0414
from .kinds import MESSAGE
from .login_try import LoginTry as LoginTry  # noqa: PLC0414
from .membership import Membership as Membership  # noqa: PLC0414
from .mention import Mention as Mention  # noqa: PLC0414
from .mention import RoomMention as RoomMention  # noqa: PLC0414
from .report import MessageReport as MessageReport  # noqa: PLC0414
from .room_retention import RoomRetention as RoomRetention  # noqa: PLC0414
from .search.entry import RoomIndexed as RoomIndexed  # noqa: PLC0414
from .search.entry import SearchEntry as SearchEntry  # noqa: PLC0414

PERSON_NAME_CODE_POINTS: Final = 150
"""As Django's own `username`: the largest frames count on it."""


class Install(models.Model):
    """The one row of an installation."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    epoch = models.CharField(max_length=32)
    """Changes when logs may have gone back in time (`new_epoch`): every cursor of another is reset."""
    shards = models.PositiveSmallIntegerField(default=DEFAULT_SHARDS, db_default=DEFAULT_SHARDS)
    """So many rows ShardLease has. The first `migrate` takes it from the settings; it never changes."""

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="install_is_one_row"),
            models.CheckConstraint(condition=Q(shards__in=SHARD_NUMBERS), name="shards_is_a_choice"),
        ]

    def __str__(self) -> str:
        return f"install {self.epoch}"


class Person(models.Model):
    """Somebody whom the log knows: a user of the project, somebody whose account is gone, or code.

    The wire's user id is a person's id. The project's users may have any primary key; the log outlives them.
    """

    id = models.BigAutoField(primary_key=True)
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        related_name="roomlog_person",
        verbose_name=_("user"),
    )
    """Null once the account was deleted, and for code."""
    name = models.CharField(_("name"), max_length=PERSON_NAME_CODE_POINTS)
    """The name that people see."""
    avatar = models.CharField(_("avatar"), max_length=500, blank=True)
    """Address of a picture."""
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("person"), _("people")
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=Q(user=None, deleted_at=None), name="keyless_person_once"
            )
        ]
        indexes = [models.Index(fields=["name"], name="people_by_name")]

    def __str__(self) -> str:
        return self.name


class RoomHead(models.Model):
    """How far a room's log is; the row whose lock makes a room's writers one."""

    room = models.OneToOneField(
        ChatRoom, on_delete=models.CASCADE, primary_key=True, related_name="head", verbose_name=_("room")
    )
    epoch = models.CharField(_("epoch"), max_length=32)
    last_seq = models.BigIntegerField(_("last seq"), default=0)
    messages = models.BigIntegerField(_("messages"), default=0)
    first_seq = models.BigIntegerField(_("first seq"), default=1, db_default=1)
    """The horizon: events below it were pruned, all but the one that made the room."""
    pruned_messages = models.BigIntegerField(_("pruned messages"), default=0, db_default=0)
    """Those of `messages` that were pruned: the first ones."""

    class Meta:
        verbose_name, verbose_name_plural = _("room head"), _("workers: room heads")
        constraints = [
            models.CheckConstraint(condition=Q(last_seq__gte=F("messages")), name="head_counts_messages")
        ]

    def __str__(self) -> str:
        return f"{self.room_id} at {self.last_seq}"


class RoomEvent(models.Model):
    """One durable event of a room's log."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(
        ChatRoom, on_delete=models.PROTECT, related_name="events", db_index=False, verbose_name=_("room")
    )
    seq = models.BigIntegerField(_("seq"))
    number = models.BigIntegerField(_("number"), null=True)
    """1, 2, 3 … over the room's messages; null for other kinds."""
    kind = models.CharField(_("kind"), max_length=32)
    """The wire's name of the action; no choices, so that a further action is no migration."""
    user = models.ForeignKey(
        Person, on_delete=models.PROTECT, related_name="+", db_index=False, verbose_name=_("user")
    )
    uuid = models.CharField(_("uuid"), max_length=64)
    body_hash = models.CharField(_("body hash"), max_length=32)
    """Of the whole command: a repeat with the same uuid and another hash is a conflict.

    Hex digits, because a worker's batch travels as JSON, which has no bytes.
    """
    text = models.TextField(_("text"), blank=True)
    data = models.JSONField(_("data"), null=True)
    """What the kind needs besides text: member, role, name, or the message that this one answers.

    The latter is `reply_to`, a seq of the same room: events refer to each other by room and seq alone, and
    without foreign keys. Beside it stands `reply_to_id`, the same message's name on the wire, so that a frame
    is made without a look-up; so do `message_id` and `author` of an event of CHANGES. `mentions` are the ids
    of those whom a message, or an edit of it, mentions; left out for none; `attachments` what a frame says
    of the files that a message brings. `data` is the JSON text that a
    project's own code has sent with a message.
    """
    date_created = models.DateTimeField(_("date created"))
    edited_seq = models.BigIntegerField(_("edited seq"), null=True)
    """On a message: the seq of its last edit, whose text is the present one."""
    reacted_seq = models.BigIntegerField(_("reacted seq"), null=True)
    """On a message: the seq of the last event that added or removed a reaction to it."""
    pinned_seq = models.BigIntegerField(_("pinned seq"), null=True)
    """On a message that is pinned: the seq of the event that pinned it."""
    deleted_at = models.DateTimeField(_("deleted at"), null=True)
    target = models.BigIntegerField(_("target"), null=True)
    """On an event of CHANGES: the seq of the message."""

    class Meta:
        verbose_name, verbose_name_plural = _("room event"), _("room events")
        ordering = ["room", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["room", "seq"], name="seq_once"),
            # uuid first: finding the repeats of a batch is one index descent for each uuid.
            models.UniqueConstraint(fields=["uuid", "room", "user"], name="command_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="seq_from_one"),
        ]
        # Between two messages millions may have come and gone. By `number`, because a query that says IS NOT
        # NULL has no parameter: a prepared statement's general plan can use the index too.
        indexes = [
            models.Index(fields=["room", "seq"], condition=Q(number__isnull=False), name="messages_by_seq"),
            models.Index(
                fields=["room", "target"], condition=Q(target__isnull=False), name="changes_by_target"
            ),
            models.Index(
                fields=["room", "pinned_seq"], condition=Q(pinned_seq__isnull=False), name="pins_by_seq"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.seq} in {self.room_id}"


class ChatMessageManager(models.Manager["ChatMessage"]):
    """Only events that are messages."""

    def get_queryset(self) -> "models.QuerySet[ChatMessage]":
        """Return the messages."""
        return super().get_queryset().filter(kind=MESSAGE)


class ChatMessage(RoomEvent):
    """A message: the events of kind `new_message`, so that a message is one insert."""

    objects: ClassVar[ChatMessageManager] = ChatMessageManager()

    class Meta:
        verbose_name, verbose_name_plural = _("chat message"), _("chat messages")
        proxy = True


class Reaction(models.Model):
    """A person's emoji below a message, while it stands; the log has how it came and went."""

    id = models.BigAutoField(primary_key=True)
    room = models.ForeignKey(ChatRoom, on_delete=models.PROTECT, related_name="+", db_index=False)
    target = models.BigIntegerField()
    """The message's seq."""
    emoji = models.CharField(max_length=EMOJI_CODE_POINTS)
    user = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", db_index=False)
    seq = models.BigIntegerField()
    """The seq of the event that added it."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["room", "target", "emoji", "user"], name="reaction_once")
        ]

    def __str__(self) -> str:
        return f"{self.emoji} to {self.target} in {self.room_id}"


class PendingCommand(models.Model):
    """A command that the api or a project's code (`rooms`) wrote in its own transaction.

    The shard's owner carries it out and deletes it in the transaction that writes the event.
    """

    id = models.BigAutoField(primary_key=True)
    shard = models.PositiveSmallIntegerField(_("shard"))
    room = models.UUIDField(_("room"))
    user = models.ForeignKey(Person, on_delete=models.PROTECT, related_name="+", verbose_name=_("user"))
    uuid = models.CharField(_("uuid"), max_length=64)
    envelope = models.BinaryField()
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("pending command"), _("workers: pending commands")
        indexes = [models.Index(fields=["shard", "id"], name="pending_by_shard")]

    def __str__(self) -> str:
        return f"pending {self.id} for {self.room}"


class Worker(models.Model):
    """A live worker process. `beat` counts up twice a second; nobody compares clocks."""

    id = models.BigAutoField(primary_key=True)
    """Of two processes with one ordinal the later has the higher id and is preferred; given once."""
    uuid = models.UUIDField(_("uuid"), unique=True)
    ordinal = models.PositiveIntegerField(_("ordinal"))
    beat = models.BigIntegerField(_("beat"), default=0)
    reaches_redis = models.BooleanField(_("reaches redis"), default=True, db_default=True)
    """Written with each beat. A process of the release before says nothing and counts as one that does."""
    clock = models.FloatField(_("clock"), null=True)
    """Its seconds since 1970 at its last beat, for the doctor alone: it makes timestamps and tickets."""

    class Meta:
        verbose_name, verbose_name_plural = _("worker"), _("workers")

    def __str__(self) -> str:
        return f"worker {self.ordinal} ({self.uuid})"


class ShardLease(models.Model):
    """Who may write the rooms of a shard. Locked and compared in every transaction that writes."""

    shard = models.PositiveSmallIntegerField(_("shard"), primary_key=True)
    owner = models.UUIDField(_("owner"), null=True)
    """The uuid of a Worker, never its ordinal: a forced delete leaves two processes of one ordinal."""
    epoch = models.BigIntegerField(_("epoch"), default=0)
    """Counts the takeovers: a late commit of an earlier owner finds another number and is refused."""

    class Meta:
        verbose_name, verbose_name_plural = _("shard lease"), _("workers: shard leases")
        constraints = [
            models.CheckConstraint(condition=Q(shard__lt=max(SHARD_NUMBERS)), name="shard_below_1024")
        ]

    def __str__(self) -> str:
        return f"shard {self.shard:02d}"


class ChoresLease(models.Model):
    """The lease of `roomlog chores`, one row: its owner does the chores."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    owner = models.UUIDField(null=True)
    """A process."""
    beat = models.BigIntegerField(default=0)
    """Counts the owner's turns."""
    has_begun = models.BooleanField(default=False, db_default=False)
    """Rooms without a RoomTold were made since."""

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="chores_lease_is_one_row")]

    def __str__(self) -> str:
        return f"chores of {self.owner}"


class RoomTold(models.Model):
    """How far the project was told of a room's messages, for those who are away."""

    room = models.OneToOneField(ChatRoom, on_delete=models.CASCADE, primary_key=True, related_name="told")
    seq = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.room_id} told to {self.seq}"


class DeadLetter(models.Model):
    """An entry that failed alone five times. Its sender was told `internal`; people look at it here."""

    id = models.BigAutoField(primary_key=True)
    shard = models.PositiveSmallIntegerField(_("shard"))
    entry = models.CharField(_("entry"), max_length=40)
    """The stream entry's id."""
    room = models.UUIDField(_("room"), null=True)
    action = models.CharField(_("action"), max_length=32, blank=True)
    uuid = models.CharField(_("uuid"), max_length=64, blank=True)
    error = models.CharField(_("error"), max_length=200)
    """The exception's class; never its text, which could hold a message."""
    envelope = models.BinaryField()
    date_created = models.DateTimeField(_("date created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("dead letter"), _("workers: dead letters")
        constraints = [models.UniqueConstraint(fields=["shard", "entry"], name="dead_once")]

    def __str__(self) -> str:
        return f"{self.action or 'entry'} {self.entry}"

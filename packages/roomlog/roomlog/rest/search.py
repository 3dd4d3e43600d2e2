"""Search of messages by HTTP."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from roomlog.frames import parsed
from roomlog.people import person_of
from roomlog.search.hits import Search, search
from roomlog_contract import limits

from .body import Body
from .fields import IdField, RoomIdField, SearchField
from .operations import describe
from .serializers import MessageSerializer
from .view import PersonThrottle, RestView


class SearchSerializer(Body):
    """What is looked for; a message is found if all of it is so."""

    text = SearchField(
        required=False, help_text='`word`, `begin*` and `"words side by side"`, in any case; all of them.'
    )
    room = RoomIdField(required=False)
    author = IdField(required=False, help_text="A person's id.")
    after = serializers.IntegerField(
        min_value=0,
        max_value=limits.UNTIL_SECONDS,
        required=False,
        help_text="Epoch seconds: sent then or later.",
    )
    before = serializers.IntegerField(
        min_value=0, max_value=limits.UNTIL_SECONDS, required=False, help_text="Epoch seconds: sent earlier."
    )
    cursor = serializers.RegexField(r"^[0-9]{1,19}$", required=False, help_text="`next` of the page before.")
    limit = serializers.IntegerField(min_value=1, max_value=limits.HISTORY_MESSAGES, default=25)


class HitsSerializer(Body):
    """Messages that were found, the newest first."""

    example = {"messages": [MessageSerializer.example], "next": None}

    messages = MessageSerializer(many=True)
    next = serializers.CharField(
        allow_null=True,
        help_text="The next page's cursor; null: there is none. A short page may have one too.",
    )


class MessageSearchThrottle(PersonThrottle):
    """How often one person may search: each search looks at thousands of messages."""

    scope = "message_search"
    rate = "60/min"


class SearchView(RestView):
    """The messages of the asker's rooms, by what they say."""

    throttle_classes = [MessageSearchThrottle]

    @describe(parameters=[SearchSerializer], responses=HitsSerializer)
    def get(self, request: Request) -> Response:
        """Return a page of the messages found in rooms that the asker is in, the newest first.

        New messages and edits are found within 2 s; deleted ones never.
        """
        asked = SearchSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        wanted = dict(asked.validated_data)
        if "cursor" in wanted:
            wanted["cursor"] = int(wanted["cursor"])
        found = search(person_of(request.user).pk, Search(**wanted))
        shown = {"messages": [parsed(one) for one in found.messages], "next": found.next and str(found.next)}
        return Response(HitsSerializer(shown).data)

"""Search of messages by HTTP."""

from rest_framework.request import Request
from rest_framework.response import Response

from roomlog.frames import parsed
from roomlog.people import person_of
from roomlog.search.hits import Search, search

from .operations import describe
from .serializers import HitsSerializer, SearchSerializer
from .view import PersonThrottle, RestView


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

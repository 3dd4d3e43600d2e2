"""Reports of messages: one answer, no event."""

from roomlog_client import RoomlogClient
from roomlog_client.testing import FakeServer
from tests.client.test_client import ROOM, server

__all__ = ["server"]


async def test_a_report_says_whether_it_is_new(server: FakeServer) -> None:
    """What goes out is the contract's, and the answer tells a repeat."""
    async with RoomlogClient(server.url, "alice") as client:
        assert await client.report_message(ROOM, 7, "abuse", "Look.", uuid="u")
        server.answers["report_message"] = {"duplicate": True}
        assert not await client.report_message(ROOM, 7, "spam")
    sent = [one for one in server.received if one["action"] == "report_message"]
    facts = {"uuid": "u", "room": ROOM, "message": 7, "reason": "abuse", "comment": "Look."}
    assert sent[0] == {"action": "report_message", **facts}

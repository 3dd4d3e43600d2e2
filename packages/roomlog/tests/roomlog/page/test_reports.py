"""The chat page in a real browser: reporting a message to the moderators."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.harness.scripted_chat import TEAM, Chat, enter
from tests.harness.scripted_gateway import refusal


def test_a_message_is_reported_by_keyboard(chat: Chat, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others' messages alone, readers too; a refusal stands in the dialog, a success in a notice."""
    answers: list[Any] = [None, {}, {"duplicate": True}]

    def report(frame: dict[str, Any]) -> Any:
        answer = answers.pop(0)
        if answer is None:
            chat.tell(refusal(frame, "rate_limited"))
        return answer

    monkeypatch.setattr(chat, "_report_message", report, raising=False)
    chat.join(TEAM, "reader", "member")
    chat.store(TEAM, "buy this")
    chat.store(TEAM, "no, thanks", user=7)
    page = enter(chat.open(), "team")
    button = page.get_by_role("button", name="Report message")
    expect(button).to_have_count(1)
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Report this message?")
    expect(dialog.locator("#report-text")).to_have_text("buy this")
    dialog.get_by_label("Reason").select_option("abuse")
    dialog.get_by_label("Comment (optional)").fill(" again ")
    dialog.get_by_role("button", name="Report").click()
    expect(dialog.get_by_role("alert")).to_contain_text("The message was not reported")
    dialog.get_by_role("button", name="Report").click()
    expect(dialog).to_be_hidden()
    expect(page.locator("#notice")).to_contain_text("The moderators will look at it.")
    sent = [one for one in chat.frames if one["action"] == "report_message"]
    facts = {"room": TEAM, "message": 1, "reason": "abuse", "comment": "again"}
    assert [one | {"uuid": ""} for one in sent] == [{"uuid": "", "action": "report_message", **facts}] * 2
    button.click()
    expect(dialog.get_by_label("Comment (optional)")).to_have_value("")
    dialog.get_by_role("button", name="Report").click()
    expect(page.locator("#notice")).to_contain_text("already")
    assert chat.errors == []

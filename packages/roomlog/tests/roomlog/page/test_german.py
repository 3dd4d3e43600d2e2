"""Chat page and element in German, for a browser that asks for it, in a real browser."""

from typing import Any
from uuid import UUID

import pytest
from django.http import HttpRequest, HttpResponse
from django.middleware.locale import LocaleMiddleware
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import translation
from playwright.sync_api import expect

from roomlog_contract.errors import ERROR_MESSAGES, ErrorCode
from tests.harness.scripted_chat import FACTS, LOBBY, TEAM, Chat, enter

AROUND = '<!doctype html><html lang="fr"><meta charset="utf-8"><title>Commande 7</title>'


@pytest.fixture
def german(chat: Chat) -> Chat:
    """A browser to which the server sends what it sends for Accept-Language: de."""

    def ask(template: str, facts: dict[str, Any]) -> str:
        request = RequestFactory().get("/", headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"})

        def answer(request: HttpRequest) -> HttpResponse:
            return HttpResponse(render_to_string(template, facts))

        with translation.override("en"):
            page = LocaleMiddleware(answer)(request)
        assert isinstance(page, HttpResponse)
        return page.content.decode()

    element = ask("roomlog/element.html", FACTS | {"room": UUID(TEAM)})
    chat.pages = {**chat.pages, "/": ask("roomlog/chat.html", FACTS), "/order/": AROUND + element}
    return chat


def test_the_page_speaks_german(german: Chat) -> None:
    """What the server renders and what the browser adds: rooms, notes, days, refusals of the server's."""
    german.names[8] = "deleted account"
    german.say(LOBBY, "hallo")
    page = german.open()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator("#log-out-button")).to_have_text("Abmelden")
    expect(page.locator("#state")).to_have_text("Verbunden")
    enter(page, "lobby")
    expect(page.locator("#text")).to_have_attribute("placeholder", "Nachricht")
    expect(page.locator(".author .name")).to_have_text("gelöschtes Konto")
    expect(page.locator(".note.date")).to_have_text("Montag, 21. September")
    german.refuses = ("muted", ERROR_MESSAGES[ErrorCode.MUTED])
    page.fill("#text", "hört mich jemand?")
    page.click("#send")
    expect(page.locator(".refused .fate")).to_contain_text(
        "Nicht gesendet: Sie sind in diesem Raum stummgeschaltet."
    )
    german.refuses = ("forbidden", "The rules of this project don't allow it.")
    page.click("text=Noch einmal senden")
    expect(page.locator(".refused .fate")).to_contain_text(
        "Nicht gesendet: Die Regeln dieses Projekts erlauben das nicht."
    )
    german.refuses = ("archived", "In words of a later server.")
    page.click("text=Noch einmal senden")
    expect(page.locator(".refused .fate")).to_contain_text("Nicht gesendet: Der Raum ist archiviert.")
    german.refuses = ("forbidden", "Nur montags.")
    page.click("text=Noch einmal senden")
    expect(page.locator(".refused .fate")).to_contain_text("Nicht gesendet: Nur montags.")
    german.remove(LOBBY)
    expect(page.locator(".note").last).to_have_text("gelöschtes Konto hat alice entfernt")
    assert german.errors == []


def test_the_element_speaks_german(german: Chat) -> None:
    """In a page of a project's, whose own language may be another."""
    page = german.open("/order/")
    expect(page.locator("roomlog-chat #state")).to_have_text("Verbunden")
    page.fill("roomlog-chat #text", "x" * 4001)
    page.press("roomlog-chat #text", "Enter")
    expect(page.locator("roomlog-chat #text-error")).to_contain_text(
        "höchstens 4.000 Zeichen; diese hat 4.001"
    )
    assert german.errors == []


def test_edits_are_german(german: Chat) -> None:
    """Buttons, the question before a deletion, and what became of both."""
    german.store(TEAM, "rot", user=7)
    german.store(TEAM, "grün", user=7)
    german.edit(TEAM, 1, "blau", user=7)
    german.delete(TEAM, 2, user=7)
    page = german.open()
    enter(page, "team")
    expect(page.locator("#messages .text")).to_have_text(["blau(bearbeitet)", "Nachricht gelöscht"])
    page.get_by_role("button", name="Nachricht bearbeiten").click()
    expect(page.locator("#editing")).to_contain_text("Sie bearbeiten eine Nachricht.")
    expect(page.locator("#send")).to_have_text("Speichern")
    page.click("text=Abbrechen")
    page.get_by_role("button", name="Nachricht löschen").click()
    expect(page.locator("#delete-dialog")).to_contain_text("Diese Nachricht löschen?")
    german.refuses = ("archived", ERROR_MESSAGES[ErrorCode.ARCHIVED])
    page.get_by_role("button", name="Löschen", exact=True).click()
    expect(page.locator("#notice")).to_have_text(
        "Die Nachricht wurde nicht gelöscht: Der Raum ist archiviert."
    )


def test_pins_and_moderation_are_german(german: Chat) -> None:
    """Lists, choices, notes, and why somebody can't write."""
    german.join(TEAM, "admin", "member")
    german.store(TEAM, "blau")
    page = german.open()
    enter(page, "team")
    page.get_by_role("button", name="Nachricht anheften").click()
    expect(page.locator("#messages .pinned")).to_have_text("Angeheftet")
    expect(page.locator(".note").last).to_have_text("alice hat eine Nachricht angeheftet")
    page.get_by_role("button", name="Angeheftete Nachrichten").click()
    expect(page.locator("#pins li")).to_contain_text("blau")
    page.get_by_role("button", name="Schließen").click()
    page.get_by_role("button", name="Mitglieder", exact=True).click()
    page.get_by_role("button", name="\u2068bob\u2069 ändern").click()
    page.select_option("#member-choice", label="Rolle: Leser")
    page.get_by_role("button", name="Rolle ändern").click()
    expect(page.locator(".note").last).to_have_text("alice hat bob die Rolle Leser gegeben")
    german.tell(german.moderate(TEAM, "mute_user", 7))
    expect(page.locator("#closed")).to_contain_text("Sie sind in diesem Raum stummgeschaltet.")
    assert german.errors == []


def test_the_search_for_people_is_german(german: Chat) -> None:
    """The field, its list, and what it says of it."""
    german.names |= {23: "Carl", 24: "Carl"}
    page = german.open()
    page.get_by_role("button", name="Neuer Direktchat").click()
    field = page.get_by_role("combobox", name="Name")
    field.press_sequentially("Carl")
    expect(page.get_by_role("listbox", name="Personen").get_by_role("option")).to_have_count(2)
    expect(page.locator("#partner [role=status]")).to_have_text("Gefundene Personen: 2")
    page.get_by_role("button", name="Chatten").click()
    expect(page.locator("#new-direct .wrong")).to_contain_text("Bitte wählen Sie eine aus der Liste.")
    assert german.errors == []

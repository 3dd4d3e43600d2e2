"""The chat page in a real browser: files on their way, in the log, and where they fail."""

from base64 import b64decode
from typing import Any, Final

import pytest
from django.template.loader import render_to_string
from playwright.sync_api import Page, Route, expect

from tests.harness.scripted_chat import FACTS, LOBBY, TEAM, Chat, enter

MAX_BYTES: Final = 2_048
PIXEL: Final = b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
PICTURE: Final = {"id": "1" * 32, "name": "tea.png", "size": 70, "type": "image/png"}
WIDE: Final = PICTURE | {"width": 1200, "height": 600}
NOTES: Final = {
    "id": "2" * 32,
    "name": "notes.txt",
    "size": 1_536,
    "type": "text/plain",
    "width": None,
    "height": None,
}
LOG: Final = "#messages .files"
WAITING: Final = "#uploads li"
DROP: Final = """([target, name]) => {
  const files = new DataTransfer();
  files.items.add(new File(["hello"], name));
  const init = { dataTransfer: files, clipboardData: files, bubbles: true, cancelable: true };
  const event = target === "#text" ? new ClipboardEvent("paste", init) : new DragEvent("drop", init);
  document.querySelector(target).dispatchEvent(event);
}"""


class Api:
    """What the api says of uploads, and gives of files."""

    def __init__(self, chat: Chat) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.held: list[Route] | None = None
        """A list takes uploads from now on; the test answers them."""
        self.asked: list[str] = []
        chat.context.route("**/api/v1/attachments/**", self._serve)

    def _serve(self, route: Route) -> None:
        if route.request.method == "POST" and self.held is not None:
            self.held.append(route)
        elif route.request.method == "POST":
            status, body = self.answers.pop(0)
            route.fulfill(status=status, json=body)
        else:
            self.asked.append(route.request.url)
            route.fulfill(body=PIXEL, content_type="image/png")


@pytest.fixture
def api(chat: Chat) -> Api:
    """An api that takes files of 2 KiB."""
    chat.pages = {**chat.pages, "/": render_to_string("roomlog/chat.html", FACTS | {"file_bytes": MAX_BYTES})}
    return Api(chat)


@pytest.fixture
def page(chat: Chat, api: Api) -> Page:
    """A tab with the room "team"."""
    return enter(chat.open(), "team")


def choose(page: Page, name: str = "notes.txt", size: int = 5) -> None:
    """Choose a file by the button."""
    with page.expect_file_chooser() as chosen:
        page.click("#attach")
    chosen.value.set_files({"name": name, "mimeType": "text/plain", "buffer": b"x" * size})


def answer(chat: Chat, *files: dict[str, Any]) -> None:
    """Have the message that was sent come back with its files."""
    (sent,) = chat.sent()
    chat.tell(chat.store(TEAM, sent["text"], 7, sent["uuid"], attachments=list(files)))


def test_a_file_is_sent_with_the_next_message_of_its_room(chat: Chat, api: Api, page: Page) -> None:
    """It need not say anything else; until the file is there nothing is sent, and another room has none."""
    api.held, chat.is_silent = [], True
    choose(page)
    expect(page.locator(f"{WAITING} progress")).to_be_visible()
    page.click("#send")
    expect(page.locator("#text-error")).to_contain_text("still being uploaded")
    enter(page, "lobby")
    expect(page.locator(WAITING)).to_have_count(0)
    enter(page, "team")
    api.held[0].fulfill(status=201, json=NOTES | {"thumbnail": None})
    expect(page.locator(f"{WAITING} progress")).to_be_hidden()
    page.click("#send")
    expect(page.locator("#messages .waiting .file .name")).to_have_text("notes.txt")
    expect(page.locator(WAITING)).to_have_count(0)
    answer(chat, NOTES)
    expect(page.locator(f"{LOG} .file")).to_have_text("notes.txt2 kB")
    expect(page.locator(f"{LOG} a")).to_have_attribute("href", f"/api/v1/attachments/{NOTES['id']}/")
    expect(page.locator("#messages .text")).to_be_hidden()
    (sent,) = chat.sent()
    assert (sent["room"], sent["text"], sent["attachments"]) == (TEAM, "", [NOTES["id"]])
    body = api.held[0].request.post_data_buffer or b""
    assert TEAM.encode() in body
    assert b'filename="notes.txt"' in body
    assert api.held[0].request.headers["x-csrftoken"] == "c"


def test_a_picture_takes_no_other_place_once_it_is_loaded(chat: Chat, api: Api, page: Page) -> None:
    """Its place is kept from its sides, before a byte of it is there; a deletion takes it away."""
    held: list[Route] = []
    chat.context.unroute("**/api/v1/attachments/**")
    chat.context.route("**/thumbnail/", lambda route: held.append(route))  # noqa: PLW0108 - it takes no C function
    chat.tell(chat.store(TEAM, "look", attachments=[WIDE, NOTES]))
    picture = page.locator(f"{LOG} .picture img")
    expect(picture).to_have_attribute("src", f"/api/v1/attachments/{WIDE['id']}/thumbnail/")
    before = picture.bounding_box()
    assert before is not None
    assert (round(before["width"]), round(before["height"])) == (320, 160)
    held[0].fulfill(body=PIXEL, content_type="image/png")
    page.wait_for_function("() => document.querySelector('.picture img').complete")
    assert picture.bounding_box() == before
    chat.tell(chat.delete(TEAM, 1))
    expect(page.locator(LOG)).to_have_count(0)
    assert chat.errors == []


@pytest.mark.parametrize("target", [".talk", "#text"])
def test_files_are_dropped_and_pasted(api: Api, page: Page, target: str) -> None:
    """Anywhere on the conversation, or into its text."""
    api.answers.append((201, NOTES | {"thumbnail": None}))
    page.evaluate(DROP, [target, "dropped.txt"])
    expect(page.locator(f"{WAITING} .name")).to_have_text("dropped.txt")


def test_what_the_server_refuses_says_why_and_can_be_tried_again(api: Api, page: Page) -> None:
    """Or be removed; nothing is sent meanwhile, and a file that is too large does not leave the browser."""
    detail = "`file`: Files of this type are not taken here."
    api.answers += [
        (400, {"error_code": "bad_value", "detail": detail}),
        (201, NOTES | {"thumbnail": None}),
    ]
    choose(page)
    expect(page.locator(f"{WAITING} .wrong")).to_have_text("Files of this type are not taken here.")
    page.fill("#text", "see this")
    page.click("#send")
    expect(page.locator("#text-error")).to_contain_text("was not uploaded")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(f"{WAITING} .wrong")).to_have_count(0)
    choose(page, "large.txt", MAX_BYTES + 1)
    expect(page.locator(f"{WAITING} .wrong")).to_have_text("The file is larger than 2 kB.")
    page.get_by_role("button", name="Remove large.txt").click()
    expect(page.locator(WAITING)).to_have_count(1)
    assert api.answers == []


def test_who_may_not_upload_is_not_offered_it(chat: Chat) -> None:
    """Where the install takes no files; those of others are shown all the same."""
    chat.tell(chat.store(LOBBY, "", attachments=[NOTES]))
    page = enter(chat.open(), "lobby")
    expect(page.locator(f"{LOG} .file .name")).to_have_text("notes.txt")
    expect(page.locator("#attach")).to_be_hidden()

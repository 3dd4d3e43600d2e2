"""`python -m benchmarks.page`: what the chat page costs those who open it.

A whole stack on PostgreSQL and a Chromium of this machine. Printed are the bytes that the page loads, as they
are and compressed as the api's image has them; the time until a room's first message can be read, with a cold
and with a warm cache; through a long room the times between frames while it is scrolled to its beginning and
back; and what one new message changes in the document.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final
from uuid import UUID

import brotli  # type: ignore[import-untyped]
import uvloop
from playwright.sync_api import Browser, Page, Response

from benchmarks.loads import Fleet
from benchmarks.systems import postgres_server
from benchmarks.tally import percentile
from benchmarks.wires import ROOMLOG, Member
from tests.harness.browser import running_browser
from tests.harness.manage import manage
from tests.harness.stack import Room, Stack, User, build_stack
from tests.harness.stack_databases import PostgresDatabases

WRITERS: Final = 100
IN_FLIGHT: Final = 50
LOADED_KB: Final = 120
VISIBLE_MS: Final = 500
DEADLINE_MS: Final = 60_000
MAKE_SECONDS: Final = 60.0
STEP_PX: Final = 400
FRAME_MS: Final = 1000 / 60
MESSAGE: Final = "#messages .message"
MARK_FIRST_MESSAGE: Final = """
    window.firstMessage = new Promise((resolve) => {
        new MutationObserver((_, observer) => {
            if (!document.querySelector("#messages .message")) return;
            observer.disconnect();
            requestAnimationFrame(resolve);  // with the time of the frame that shows it
        }).observe(document, { childList: true, subtree: true });
    });
"""
SCROLL: Final = """async ([end, step]) => {
    const list = document.querySelector("#messages"), times = [];
    let last = performance.now();
    while (!list.querySelector(`[data-seq="${end}"]`)) {
        const before = list.scrollTop;
        list.scrollTop += step;
        if (list.scrollTop === before) list.scrollTop -= Math.sign(step);  // the page hears of moves alone
        const now = await new Promise(requestAnimationFrame);
        times.push(now - last);
        last = now;
    }
    return times;
}"""
WATCH: Final = """() => {
    window.changed = { added: 0, removed: 0, attributes: 0, texts: 0 };
    new MutationObserver((records) => {
        for (const record of records) {
            window.changed.added += record.addedNodes.length;
            window.changed.removed += record.removedNodes.length;
            window.changed.attributes += record.type === "attributes";
            window.changed.texts += record.type === "characterData";
        }
    }).observe(document.querySelector("#messages"),
        { childList: true, subtree: true, attributes: true, characterData: true });
}"""


class Reader:
    """Somebody with an account who opens the page at a message."""

    def __init__(self, browser: Browser, address: str, login: dict[str, str]) -> None:
        self._context = browser.new_context(viewport={"width": 1100, "height": 700})
        self._address = address
        page = self._new_tab()
        page.goto(address)
        page.fill("input[name=username]", login["name"])
        page.fill("input[name=password]", login["password"])
        page.click("button")
        page.wait_for_selector("#rooms .room")
        page.close()

    def visit(self, *, cold: bool) -> tuple[Page, float, list[bytes]]:
        """Open the page; return it, the milliseconds to its first message, and what it loaded."""
        page = self._new_tab()
        responses: list[Response] = []
        page.on("response", lambda response: responses.append(response))  # noqa: PLW0108 - Playwright's wish
        if cold:
            self._context.new_cdp_session(page).send("Network.clearBrowserCache")
        page.goto(self._address)
        page.locator(MESSAGE).first.wait_for()
        milliseconds = float(page.evaluate("window.firstMessage"))
        return page, milliseconds, [response.body() for response in responses if response.ok]

    def _new_tab(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(DEADLINE_MS)
        page.add_init_script(MARK_FIRST_MESSAGE)
        return page


def measure(stack: Stack, browser: Browser, arguments: argparse.Namespace) -> None:
    """Print all figures of one stack."""
    demo = json.loads(manage(stack.environ, "make_demo", seconds=MAKE_SECONDS))
    login = demo["users"][0]
    (person,) = stack.sql("SELECT id FROM roomlog_person WHERE name = %s", login["name"])[0]
    (room,) = stack.make_rooms([[*stack.make_users(WRITERS), User(person, login["name"], login["token"])]])
    fill(stack, room, arguments.messages)
    first, last = stack.sql(
        "SELECT min(seq), max(seq) FROM roomlog_roomevent WHERE room_id = %s", UUID(room.id)
    )[0]
    reader = Reader(browser, f"{stack.page}/#{room.id}/{last}", login)
    for cold in (True, False):
        times = []
        for _ in range(arguments.visits):
            page, milliseconds, bodies = reader.visit(cold=cold)
            times.append(milliseconds)
            if cold and len(times) == 1:
                print_sizes(bodies)
            page.close()
        middle = statistics.median(times)
        print(
            f"first message visible, {'cold' if cold else 'warm'} cache: median {middle:.0f} ms, "
            f"{min(times):.0f} to {max(times):.0f} of {len(times)}; "
            f"goal {VISIBLE_MS} ms {'reached' if middle < VISIBLE_MS else 'missed'}"
        )
    page, _, _ = reader.visit(cold=False)
    print_scrolling(page, first, last)
    print_changes(page, stack, room, last)


def fill(stack: Stack, room: Room, messages: int) -> None:
    """Write so many messages, in a thread: Playwright's own loop runs in this one."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(uvloop.run, write(stack, room, messages)).result()


async def write(stack: Stack, room: Room, messages: int) -> None:
    """Write so many messages into the room, by all but its last member."""
    members = [Member(room=room.id, user=user.id, token=user.token) for user in room.members[:-1]]
    fleet = Fleet(ROOMLOG, stack.websocket(), [members])
    await fleet.open()
    turns = asyncio.Semaphore(IN_FLIGHT)
    fleet.on_accepted = lambda number: turns.release()
    for number in range(messages):
        await turns.acquire()
        fleet.send(number % len(members), 0, time.perf_counter())
    await fleet.drain()
    fleet.close()


def print_sizes(bodies: Sequence[bytes]) -> None:
    """Print what one visit loads."""
    packed = sum(len(brotli.compress(body)) for body in bodies) / 1000
    verdict = "reached" if packed < LOADED_KB else "missed"
    plain = sum(map(len, bodies)) / 1000
    print(
        f"loaded until the first message: {len(bodies)} answers, {plain:.0f} kB, {packed:.1f} kB compressed; "
        f"goal {LOADED_KB} kB {verdict}"
    )


def print_scrolling(page: Page, first: int, last: int) -> None:
    """Scroll to the beginning of the log and back to its end; print the times between frames."""
    for name, end, step in (("up", first, -STEP_PX), ("down", last, STEP_PX)):
        times = sorted(page.evaluate(SCROLL, [end, step]))
        late = sum(one > 2 * FRAME_MS for one in times)
        print(
            f"scrolled {name} through {last - first + 1} messages in {sum(times) / 1000:.1f} s, "
            f"{STEP_PX} px a frame: p50 {percentile(times, 0.5):.1f} ms, p95 {percentile(times, 0.95):.1f}, "
            f"p99 {percentile(times, 0.99):.1f}, longest {times[-1]:.1f}; {late} of {len(times)} frames over "
            f"{2 * FRAME_MS:.0f} ms; {page.locator(MESSAGE).count()} messages in the document",
            flush=True,
        )


def print_changes(page: Page, stack: Stack, room: Room, last: int) -> None:
    """Print what a new message after the last one changes in the list's part of the document."""
    before = page.locator(MESSAGE).count()
    page.evaluate(WATCH)
    fill(stack, room, 1)
    page.locator(f'{MESSAGE}[data-seq="{last + 1}"]').wait_for(state="attached")
    print(f"one new message among {before}: {page.evaluate('window.changed')}")


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(prog="benchmarks.page")
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--visits", type=int, default=10)
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="roomlog-page-") as directory,
        postgres_server() as server,
        running_browser() as browser,
    ):
        stack = build_stack(
            Path(directory) / "stack", PostgresDatabases(server), environ={"ROOMLOG_ALLOWED_ORIGINS": "*"}
        )
        try:
            stack.start()
            stack.start(stack.add_api(ROOMLOG_WEBSOCKET_URL=stack.websocket()))
            measure(stack, browser, arguments)
        finally:
            stack.close()
    print(f"{os.cpu_count()} cores; load {os.getloadavg()[0]:.1f} at the end")


if __name__ == "__main__":
    main()

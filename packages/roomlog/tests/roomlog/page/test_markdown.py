"""The chat page in a real browser: messages as markdown, whatever they hold."""

from typing import Final
from urllib.parse import urlsplit

import brotli  # type: ignore[import-untyped]
import pytest
from playwright.sync_api import Page, expect

from tests.harness.scripted_chat import TEAM, Chat, enter
from tests.harness.scripted_gateway import ORIGIN, WEB

TEXTS: Final = "#messages .text bdi"
BUDGET_BYTES: Final = 120_000
SLOWEST_MS: Final = 1_000
"""Ten times what the slowest text takes on a busy machine."""
_EACH = """(texts) => import("/static/roomlog/markdown.js").then(({ markdown }) => texts.map((text) => {
  const box = document.createElement("div");
  const begin = performance.now();
  box.append(markdown(text));
  %s
}))"""
SHOWN: Final = _EACH % (
    "for (const name of ['title', 'target', 'rel'])"
    " for (const link of box.querySelectorAll('a')) link.removeAttribute(name); return box.innerHTML;"
)
TIMES: Final = _EACH % "return performance.now() - begin;"
CHANGE_MARKED: Final = (
    "([name, html]) => import('/static/roomlog/vendor/marked.js').then((marked) => {"
    " marked[name][name === 'Lexer' ? 'lex' : 'parse'] = () => { if (html) return html; throw new Error(); };"
    " })"
)
ELEMENTS: Final = """(boxes) => boxes.flatMap((box) => [...box.querySelectorAll("*")])
  .map(({ localName, attributes }) => [localName, ...[...attributes].map(({ name }) => name)].join(" "))"""
ALLOWED: Final = {
    "p",
    "strong",
    "em",
    "code",
    "pre",
    "blockquote",
    "ul",
    "ol start",
    "li",
    "a href title target rel",
}
RUN: Final = "window.ran=1"
AWAY: Final = "https://elsewhere.example"
HOSTILE: Final = [
    f"<script>{RUN}</script>",
    f'<img src="{AWAY}/1.png" onerror="{RUN}">',
    f'<p onclick="{RUN}" style="color: red" id="text" class="actions" data-does="delete">x</p>',
    f"![x]({AWAY}/2.png) ![y][z]",
    f"[![x]({AWAY}/3.png)]({AWAY}/)",
    f"[a](javascript:{RUN}) [b](java\tscript:{RUN}) [c](&#106;avascript:{RUN}) <javascript:{RUN}>",
    f"[a](data:text/html,<script>{RUN}</script>) [b](vbscript:x) [c](/logout/) [d](//elsewhere.example)",
    f'[a]({AWAY}/"onmouseover="{RUN}) [b]({AWAY} "x" onclick="{RUN}")',
    f"<!-- a --><!--> <img src=x onerror={RUN}> --!> <![CDATA[<img src=x>]]> <?php ?> <!doctype html>",
    f"<svg onload={RUN}><style><img src=x></style><foreignObject><iframe src={AWAY}></svg>",
    f"<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img onerror={RUN} src=1&gt;'>",
    f"<form action={AWAY}><input name=x><button>x</button></form><iframe srcdoc=x></iframe>",
    f"<link rel=stylesheet href={AWAY}/x.css><meta http-equiv=refresh content=0><base href=//x>",
    f"# heading\n\nheading\n===\n\na | b\n--|--\n1 | 2\n\n- [x] task\n\n[x]: {AWAY}\n\n---",
    f"`</code><img src=x onerror={RUN}>` **<img src=x>** > <b>x",
    f"```\n</code></pre><script>{RUN}</script>",
]
"""None of them is markdown that a browser should ask anything for, or run."""
HEAVY: Final = [
    "> " * 1_000 + "x",
    "> - " * 1_000,
    "1. " * 1_333,
    "\n".join("  " * depth + "- x" for depth in range(60)),
    "```\n" + "x" * 65_536,
    "x" * 65_536,
    "a" * 4_000,
    *(
        (part * 4_000)[:4_000]
        for part in ("- a\n", "*a **a ", "_*a ", "![", "[a](", "`a", "<a ", "a_", "[*a](", "http://a.b/(")
    ),
    "*_" * 1_000 + "x" + "_*" * 1_000,
    "".join("`" * number + "a" for number in range(80)),
]


@pytest.fixture
def page(page: Page) -> Page:
    """A tab with the room "team"."""
    enter(page, "team")
    return page


def test_the_subset_is_shown_and_the_rest_stays_as_written(page: Page) -> None:
    """Marks become elements; line breaks, blank lines and what isn't of the subset stay in the text."""
    shown = {
        "**b** _i_ `<b>&amp;`": "<p><strong>b</strong> <em>i</em> <code>&lt;b&gt;&amp;amp;</code></p>",
        "a\n  b\n\n\nc &amp; d\n# e\n~~f~~": "<p>a\n  b</p>\n\n<p>c &amp;amp; d\n# e\n~~f~~</p>",
        "> quote\nanswer": "<blockquote><p>quote</p></blockquote><p>answer</p>",
        "3. x\n4. y\n   - z": '<ol start="3"><li>x</li><li>y<ul><li>z</li></ul></li></ol>',
        "- [x] done": "<ul><li>[x] done</li></ul>",
        "-": "<p>-</p>",
        "```js\n**x**\n\ny\n```\nend": "<pre><code>**x**\n\ny</code></pre><p>end</p>",
        "[*x*](https://a.example/?b&c)": '<p><a href="https://a.example/?b&amp;c"><em>x</em></a></p>',
        "a@b.example, @bob_b_b": '<p><a href="mailto:a@b.example">a@b.example</a>, @bob_b_b</p>',
        "[x](ftp://a.example) ![y](https://a.example)": "<p>[x](ftp://a.example) ![y](https://a.example)</p>",
    }
    assert dict(zip(shown, page.evaluate(SHOWN, list(shown)), strict=True)) == shown


def test_a_messages_nodes_are_made_once(chat: Chat, page: Page) -> None:
    """Other messages and reactions leave them, an edit makes new ones. Quotes show the text as written."""
    chat.say(TEAM, "**one** [link](https://elsewhere.example/)")
    link = page.locator(f"{TEXTS} a")
    expect(link).to_have_attribute("target", "_blank")
    expect(link).to_have_attribute("rel", "noopener noreferrer nofollow")
    page.evaluate("window.strong = document.querySelector('#messages strong')")
    chat.tell(chat.react(TEAM, 1, "👍"))
    chat.tell(chat.store(TEAM, "two", reply_to=1))
    expect(page.locator(".quote .words")).to_have_text("**one** [link](https://elsewhere.example/)")
    assert page.evaluate("strong.isConnected")
    chat.tell(chat.edit(TEAM, 1, "_uno_"))
    expect(page.locator(f"{TEXTS} em")).to_have_text("uno")
    assert not page.evaluate("strong.isConnected")
    assert chat.errors == []


def test_hostile_texts_are_texts(chat: Chat, page: Page) -> None:
    """Nothing runs, nothing is asked for, and there is no element or attribute but those of the subset."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    texts = [*HOSTILE, *HEAVY]
    for text in texts:
        chat.say(TEAM, text)
    expect(page.locator(TEXTS)).to_have_count(len(texts))
    elements = set(page.locator(TEXTS).evaluate_all(ELEMENTS))
    assert elements <= ALLOWED
    assert {"blockquote", "em"} <= elements, "markdown is shown at all"
    addresses = page.locator(f"{TEXTS} a").evaluate_all("(links) => links.map((link) => link.protocol)")
    assert set(addresses) <= {"http:", "https:", "mailto:"}
    assert page.locator(TEXTS).all_text_contents()[:4] == HOSTILE[:4]
    assert page.evaluate("window.ran") is None
    assert ([url for url in asked if not url.startswith(f"{ORIGIN}/api/v1/people/")], chat.errors) == ([], [])


def test_heavy_texts_and_all_modules_cost_little(page: Page) -> None:
    """The longest message holds up nobody; all modules keep the budget, compressed as in the api's image."""
    assert max(page.evaluate(TIMES, [*HOSTILE, *HEAVY])) < SLOWEST_MS
    nested, many = page.evaluate(SHOWN, [">" * 100 + "x", "*a* " * 400])
    assert (nested.count("<blockquote>"), many.count("<em>")) == (6, 300)
    loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    paths = [urlsplit(name).path for name in loaded if name.endswith(".js")]
    files = [WEB / path.removeprefix("/static/roomlog/") for path in paths]
    size = sum(len(brotli.compress(file.read_bytes())) for file in files)
    assert len(files) > 50
    assert size < BUDGET_BYTES


def test_a_text_that_cannot_be_read_is_shown_as_written(chat: Chat, page: Page) -> None:
    """A mistake of the parser's costs the marks of one text, not the room."""
    page.evaluate(CHANGE_MARKED, ["Lexer", ""])
    chat.say(TEAM, "**one**")
    expect(page.locator(TEXTS)).to_have_text("**one**")
    assert chat.errors == []


def test_markup_that_marked_lets_through_is_taken_away(chat: Chat, page: Page) -> None:
    """The second wall stands by itself: of any HTML only the subset's elements and attributes are left."""
    markup = '<em id="x">one</em><a href="javascript:x">two</a>' + "".join(HOSTILE)
    page.evaluate(CHANGE_MARKED, ["Parser", markup])
    chat.say(TEAM, "one")
    expect(page.locator(f"{TEXTS} em")).to_have_text("one")
    expect(page.locator(f"{TEXTS} a")).to_have_text("two")
    assert set(page.locator(TEXTS).evaluate_all(ELEMENTS)) <= {*ALLOWED, "a target rel"}
    assert page.evaluate("window.ran") is None

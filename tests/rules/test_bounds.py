"""Every queue has a bound: the rule finds what breaks it, and nothing in the project does."""

import textwrap

import pytest

from tests.rules.bounds import unbounded_queues
from tests.rules.sources import Source, production


def found(code: str) -> int:
    return len(list(unbounded_queues(Source("forged.py", textwrap.dedent(code)))))


def test_no_queue_of_the_project_is_without_a_bound() -> None:
    """Overload is answered, not absorbed (GUARANTEES G8)."""
    assert [str(finding) for source in production() for finding in unbounded_queues(source)] == []


@pytest.mark.parametrize(
    "code",
    [
        "inbox = asyncio.Queue()",
        "inbox = asyncio.Queue(maxsize=0)",
        "inbox = Queue(0)",
        "inbox: asyncio.Queue[bytes] = asyncio.Queue()",
        "inbox = queue.PriorityQueue()",
        "inbox = queue.SimpleQueue()",
        "held = deque()",
        "held = collections.deque([1, 2])",
        "held = deque([], None)",
        "held = deque(maxlen=None)",
        "held: deque[int] = field(default_factory=deque)",
        "held = defaultdict(deque)",
        "held = deque()  # bound:",
        "held = deque()  # unbound: never",
        "# bound: this comment belongs to the next line\nlimit = 5\nheld = deque()",
        "def make():\n    # bound: of another line\n    a = 1\n    return deque()",
    ],
)
def test_a_queue_without_a_bound_is_found(code: str) -> None:
    """Classes of asyncio, queue and collections, made, handed over as a factory or marked for nothing."""
    assert found(code) == 1


@pytest.mark.parametrize(
    "code",
    [
        "inbox = asyncio.Queue(maxsize=256)",
        "inbox = asyncio.Queue(LIMIT)",
        "inbox: asyncio.Queue[bytes]",
        "held = deque(maxlen=HELD_EVENTS)",
        "held = deque([], 256)",
        "held = deque()  # bound: one for each command in flight, of which there are at most 32",
        "# bound: the caller drops the oldest at 256\n# and says so\nheld = deque()",
        "rows = execute('select')",
        "def take(queue: deque[int]) -> None: ...",
    ],
)
def test_a_queue_with_a_bound_passes(code: str) -> None:
    """A number, a name of one, or a comment that says who keeps the bound."""
    assert found(code) == 0

"""The rule that every wait for the network has a deadline, as a check of syntax trees.

A wait is `await`, `async for` or `async with` on a call that is named like one of the network (NETWORK). It
has a deadline where one of these is true:

- it stands inside `async with asyncio.timeout(…)` of the same function (None does not count);
- the call itself is given `timeout=` (`asyncio.wait_for(…)` has it as its second argument);
- it goes through an object that sees to it: a name that this file assigns from the construction of a
  client with deadlines of its own (CLIENTS: this rule checks that they are given), of such a client's
  pipeline, of a class of ours (its waits are looked at where it is defined), or annotates so;
- a comment `# deadline: <who ends this wait, and when>` on the statement or right above it says so.

Blocking calls (urllib, http.client, socket, subprocess) must be given `timeout` by name or in its place.
"""

import ast
import re
from collections.abc import Collection, Iterable, Iterator

from tests.rules.sources import Finding, Source, dotted, is_given, keyword, name_of

MARKER = "deadline"
NETWORK = {
    *("receive", "receive_str", "receive_bytes", "receive_json", "recv", "sock_recv"),
    *("send_str", "send_bytes", "send_json", "send_frame", "sendall", "sock_sendall", "drain"),
    *("connect", "ws_connect", "sock_connect", "open_connection", "open_unix_connection"),
    *("create_connection", "create_datagram_endpoint", "start_tls", "handshake", "wait_closed"),
    *("read", "readline", "readexactly", "readuntil", "iter_any", "iter_chunked", "iter_chunks"),
    *("execute", "execute_command", "parse_response", "read_response", "send_command"),
    *("get_message", "listen", "check_health", "publish", "spublish"),
    *("subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe"),
    *("xadd", "xread", "xreadgroup", "xack", "xdel", "xlen", "xrange", "blpop", "brpop", "hincrby"),
    *("request", "get", "post", "put", "patch", "delete", "head", "options", "prepare"),
    *("getaddrinfo", "getnameinfo", "fetch", "fetchall", "fetchone"),
}
"""Methods that wait for the other side; the short ones are awaited only where they are I/O."""
LOCAL_RECEIVERS = ("queue", "inbox", "outbox")
"""`await queue.get()` waits for this process, not for the network."""
TIMEOUTS = ("timeout", "timeout_at")
CLIENTS = {
    "Redis": ("socket_timeout", "socket_connect_timeout"),
    "StrictRedis": ("socket_timeout", "socket_connect_timeout"),
    "Valkey": ("socket_timeout", "socket_connect_timeout"),
    "RedisCluster": ("socket_timeout", "socket_connect_timeout"),
    "Sentinel": ("socket_timeout", "socket_connect_timeout"),
    "ConnectionPool": ("socket_timeout", "socket_connect_timeout"),
    "BlockingConnectionPool": ("socket_timeout", "socket_connect_timeout"),
    "from_url": ("socket_timeout", "socket_connect_timeout"),
    "ClientSession": ("timeout",),
}
"""What each client must be given when it is made."""
GUARDED = frozenset({"Redis", "StrictRedis", "Valkey", "RedisCluster", "Pipeline", "PubSub", "ClientSession"})
"""Types whose waits end by themselves, because of CLIENTS."""
POOLS = ("ConnectionPool", "BlockingConnectionPool")
"""Their connections wait for a name and for TLS beyond their timeouts: `connect` needs its own."""
BLOCKING = {
    "urlopen": 2,
    "create_connection": 1,
    "HTTPConnection": 2,
    "HTTPSConnection": 2,
    "check_output": None,
    "check_call": None,
    "communicate": 1,
}
"""Blocking calls and the place of `timeout` among their arguments."""


def missing_deadlines(source: Source, own_classes: Collection[str] = ()) -> Iterator[Finding]:
    """Yield each wait, client and blocking call that nothing ends; `own_classes` are the project's."""
    yield from _Waits(source, _guarded_names(source.tree, GUARDED | set(own_classes))).findings()
    for statement in _simple_statements(source.tree):
        for call in ast.walk(statement):
            if isinstance(call, ast.Call) and not source.has_marker(statement, MARKER):
                yield from _construction(source, call)


def classes_of(sources: Iterable[Source]) -> set[str]:
    """Return the names of all classes that the project defines."""
    return {
        node.name for source in sources for node in ast.walk(source.tree) if isinstance(node, ast.ClassDef)
    }


def _simple_statements(tree: ast.Module) -> Iterator[ast.stmt | ast.expr]:
    """Yield statements that hold no others, and the heads of those that do."""
    for node in ast.walk(tree):
        if isinstance(node, ast.With | ast.AsyncWith):
            yield from (item.context_expr for item in node.items)
        elif isinstance(node, ast.If | ast.While):
            yield node.test
        elif isinstance(node, ast.For | ast.AsyncFor):
            yield node.iter
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node


def _construction(source: Source, call: ast.Call) -> Iterator[Finding]:
    name = name_of(call.func)
    missing = [given for given in CLIENTS.get(name, ()) if not is_given(keyword(call, given))]
    if missing and not any(given.arg is None for given in call.keywords):
        yield Finding(source.path, call.lineno, f"{name} without {' and '.join(missing)}")
    # asyncio's own `loop.create_connection` is a wait, unlike the blocking one of `socket`.
    is_asynchronous = dotted(call.func).startswith(("loop.", "asyncio."))
    if name in BLOCKING and not is_asynchronous and not _has_timeout(call, BLOCKING[name]):
        yield Finding(source.path, call.lineno, f"blocking {name} without a timeout")


def _has_timeout(call: ast.Call, place: int | None) -> bool:
    positional = call.args[place] if place is not None and len(call.args) > place else None
    return is_given(keyword(call, "timeout") or positional)


def _guarded_names(tree: ast.Module, types: Collection[str]) -> set[str]:
    """Return the names in this file whose waits end by themselves."""
    names = {"self", *_annotated(tree, types)}
    pairs = list(_assigned(tree))
    for _ in range(3):  # a reply of a pipeline of a client: three steps at most
        for target, value in pairs:
            if _comes_from(value.value if isinstance(value, ast.Await) else value, names, types):
                names.add(name_of(target))
    return names - {""}


def _assigned(tree: ast.Module) -> Iterator[tuple[ast.expr, ast.expr]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            yield from ((target, node.value) for target in node.targets)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield node.target, node.value
        elif isinstance(node, ast.AsyncWith | ast.With):
            yield from ((item.optional_vars, item.context_expr) for item in node.items if item.optional_vars)


def _annotated(tree: ast.Module, types: Collection[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation is not None and _mentions(node.annotation, types):
            yield node.arg
        elif isinstance(node, ast.AnnAssign) and _mentions(node.annotation, types):
            yield name_of(node.target)


def _mentions(annotation: ast.expr, types: Collection[str]) -> bool:
    if isinstance(annotation, ast.Constant):
        return any(name in types for name in re.findall(r"\w+", str(annotation.value)))
    return any(name_of(node) in types for node in ast.walk(annotation) if isinstance(node, ast.expr))


def _comes_from(value: ast.expr, names: set[str], types: Collection[str]) -> bool:
    """Tell whether a value is such an object, or was handed out by one."""
    if isinstance(value, ast.Name | ast.Attribute):
        return name_of(value) in names
    if not isinstance(value, ast.Call):
        return False
    *owners, last = dotted(value.func).split(".")
    if last in types or (last in CLIENTS and not {last, *owners} & set(POOLS)):
        return True
    # What a call on `self` returns is unknown; a socket opened by a session has no deadline of its own.
    return last != "ws_connect" and any(owner in names - {"self"} for owner in owners)


class _Waits(ast.NodeVisitor):
    """Walks a file and remembers which functions' timeouts it stands in."""

    def __init__(self, source: Source, guarded: set[str]) -> None:
        self._source = source
        self._guarded = guarded
        nodes = ast.walk(source.tree)
        self._own_waits = {node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)}
        self._timeouts = 0
        self._statement: ast.stmt | None = None
        self._found: list[Finding] = []

    def findings(self) -> list[Finding]:
        """Return what was found in the order of the lines."""
        self.visit(self._source.tree)
        return sorted(self._found, key=lambda finding: finding.line)

    def visit(self, node: ast.AST) -> None:
        """Keep the statement that a wait belongs to, for its marker."""
        outer = self._statement
        if isinstance(node, ast.stmt):
            self._statement = node
        super().visit(node)
        self._statement = outer

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """A function inside another one runs at its own time: the outer's timeout does not hold for it."""
        outer, self._timeouts = self._timeouts, 0
        self.generic_visit(node)
        self._timeouts = outer

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        """Count the timeouts around the body; entering is a wait too."""
        timeouts = sum(_is_timeout(item.context_expr) for item in node.items)
        for item in node.items:
            self._check(item.context_expr, item.context_expr)
            self.visit(item.context_expr)
        self._timeouts += timeouts
        for statement in node.body:
            self.visit(statement)
        self._timeouts -= timeouts

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """Each turn of the loop is a wait, whatever it iterates over."""
        self._report_unless_ended(node.iter, f"async for over {dotted(node.iter)}", None)
        self.generic_visit(node)

    def visit_Await(self, node: ast.Await) -> None:
        """Look at the call that is awaited."""
        self._check(node.value, None)
        self.generic_visit(node)

    def _check(self, awaited: ast.expr, marked: ast.expr | None) -> None:
        if not isinstance(awaited, ast.Call):
            return
        name = name_of(awaited.func)
        if name == "wait_for":
            if not is_given(
                keyword(awaited, "timeout") or (awaited.args[1] if len(awaited.args) > 1 else None)
            ):
                self._report_unless_ended(awaited, "wait_for without a timeout", marked)
        elif name in NETWORK and not self._is_guarded(awaited) and not _is_local(awaited):
            self._report_unless_ended(awaited, f"await {dotted(awaited.func)}()", marked)

    def _report_unless_ended(self, node: ast.expr, what: str, marked: ast.expr | None) -> None:
        place = marked or self._marker_place(node)
        if not self._timeouts and not self._source.has_marker(place, MARKER):
            self._found.append(Finding(self._source.path, node.lineno, f"{what} without a deadline"))

    def _marker_place(self, node: ast.expr) -> ast.stmt | ast.expr:
        """Return the statement of a wait, or the wait itself where the statement holds others."""
        statement = self._statement
        return node if statement is None or hasattr(statement, "body") else statement

    def _is_guarded(self, call: ast.Call) -> bool:
        if is_given(keyword(call, "timeout")):
            return True
        *owners, last = dotted(call.func).split(".")
        if owners == ["self"]:
            return last in self._own_waits
        return any(owner in self._guarded for owner in owners if owner != "self")


def _is_local(call: ast.Call) -> bool:
    path = dotted(call.func).split(".")
    return len(path) > 1 and path[-2].strip("_").endswith(LOCAL_RECEIVERS)


def _is_timeout(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and name_of(context.func) in TIMEOUTS
        and any(map(is_given, context.args))
    )

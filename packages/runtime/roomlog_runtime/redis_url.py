"""What ROOMLOG_REDIS_URL may say: one server, a socket file, Sentinels or a Cluster. All else ends the start.

No stage of the message's way. One parser for all services, so that a URL means the same everywhere. It must
not connect, nor put any part of the URL into a sentence: each part may be a piece of a password.
"""

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from typing import Any, Final, NoReturn
from urllib.parse import unquote

from .errors import SettingError
from .settings import read_secret

VARIABLE: Final = "ROOMLOG_REDIS_URL"
DEFAULT_URL: Final = "redis://127.0.0.1:6379/0"
CLUSTER_SCHEMES: Final = ("redis+cluster", "rediss+cluster")
SCHEMES: Final = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel", *CLUSTER_SCHEMES)
PORT: Final = 6379
SENTINEL_PORT: Final = 26379
MAX_PORT: Final = 65535

FORMS: Final = (
    "has none of the forms redis://host:port/database, rediss://host:port/database,"
    " unix:///path/of/socket?db=database, redis+sentinel://host:port,host:port/service/database and"
    " redis+cluster://host:port,host:port"
)
ENCODE: Final = (
    "has a reserved character unescaped: percent-encode user name and password, for example"
    " / as %2F, # as %23, ? as %3F, @ as %40 and % as %25"
)
TLS_OPTIONS: Final = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname", "ssl_cert_reqs")
SENTINEL_OPTIONS: Final = ("sentinel_username", "sentinel_password")
_LOGIN: Final = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*")
"""RFC 3986, section 3.2.1: userinfo."""
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


@dataclass(frozen=True, slots=True)
class RedisAddress:
    """What a URL says, in the words of redis-py's connections. Its repr holds no secret."""

    scheme: str
    hosts: tuple[tuple[str, int], ...]
    """The server, the Sentinels in the order in which they are asked, or some nodes of the Cluster.

    None for a socket file.
    """
    service: str | None
    """What the Sentinels call the primary and its replicas; None without Sentinels."""
    server: Mapping[str, Any] = field(repr=False)
    """Place, database, login and TLS of the server; without its place where others know it."""
    sentinel: Mapping[str, Any] = field(repr=False)
    """Login and TLS of the Sentinels."""

    @property
    def is_cluster(self) -> bool:
        """Return True if the hosts are nodes of a Redis Cluster."""
        return self.scheme in CLUSTER_SCHEMES


def read_redis_url(environ: Mapping[str, str] = os.environ) -> str:
    """Return ROOMLOG_REDIS_URL; raises SettingError where `check_redis_url` does."""
    return check_redis_url(read_secret(VARIABLE, DEFAULT_URL, environ=environ))


def check_redis_url(url: str) -> str:
    """Return the URL.

    Raises:
        SettingError: it can't be used; the sentence holds no part of it.
    """
    check_tls_files(parse_redis_url(url))
    return url


def parse_redis_url(url: str) -> RedisAddress:
    """Return the parts of a URL.

    Raises:
        SettingError: it has another form; the sentence holds no part of it.
    """
    if not url.isprintable() or " " in url:
        _refuse("contains a blank or a control character")
    scheme, _, rest = url.partition("://")
    if scheme not in SCHEMES or not rest:
        _refuse(FORMS)
    place, _, query = rest.partition("?")
    authority, slash, path = place.partition("/")
    login, at, hosts = authority.rpartition("@")
    if "#" in rest or "@" in path + query or not _LOGIN.fullmatch(login):
        _refuse(ENCODE)
    options = _options(scheme, query)
    shared = {**_login(login, bool(at)), **_tls(scheme, options)}
    match scheme:
        case "unix":
            if hosts or not path:
                _refuse("names no socket file: its form is unix:///path/of/socket?db=database")
            where = {"path": slash + _decoded(path), "db": _database(options.get("db", ""))}
            return RedisAddress(scheme, (), None, {**where, **shared}, {})
        case "redis" | "rediss":
            host, port = _host(hosts, PORT)
            server = {"host": host, "port": port, "db": _database(path), **shared}
            return RedisAddress(scheme, ((host, port),), None, server, {})
        case "redis+cluster" | "rediss+cluster":
            if path:
                _refuse("names a database, and a Cluster has none: redis+cluster://host:port,host:port")
            nodes = tuple(_host(host, PORT) for host in hosts.split(","))
            return RedisAddress(scheme, nodes, None, shared, {})
    sentinels = tuple(_host(host, SENTINEL_PORT) for host in hosts.split(","))
    service, _, database = path.partition("/")
    if not service:
        _refuse("does not name the Sentinels' service: redis+sentinel://host:port,host:port/service/database")
    asked = {
        **_named(options.get("sentinel_username", ""), options.get("sentinel_password", "")),
        **_tls(scheme, options),
    }
    secured = {"ssl": True} if scheme == "rediss+sentinel" else {}
    server = {"db": _database(database), **shared, **secured}
    return RedisAddress(scheme, sentinels, _decoded(service), server, {**asked, **secured})


def check_tls_files(address: RedisAddress) -> None:
    """Read the files that a rediss:// URL names, as a connection would.

    Raises:
        SettingError: they hold no certificates or no key, or can't be read.
    """
    named = address.server
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if "ssl_ca_certs" in named:
            context.load_verify_locations(cafile=named["ssl_ca_certs"])
    except (OSError, ValueError):
        _refuse("names a file in ssl_ca_certs that can't be read as certificates")
    try:
        if "ssl_certfile" in named or "ssl_keyfile" in named:
            context.load_cert_chain(named.get("ssl_certfile", ""), named.get("ssl_keyfile"), password="")
    except (OSError, ValueError, TypeError):
        _refuse("needs a certificate in ssl_certfile and its unencrypted key in ssl_keyfile")


def _refuse(problem: str) -> NoReturn:
    raise SettingError(VARIABLE, problem) from None


def _decoded(text: str) -> str:
    """Return what a percent-encoded part stands for."""
    if re.search(r"%(?![0-9A-Fa-f]{2})", text):
        _refuse(ENCODE)
    try:
        decoded = unquote(text, errors="strict")
    except UnicodeDecodeError:
        _refuse("has percent-encoded bytes that are not UTF-8")
    if "\0" in decoded:
        _refuse("contains a blank or a control character")
    return decoded


def _login(login: str, is_given: bool) -> dict[str, str]:
    username, _, password = login.partition(":")
    if is_given and not password:
        _refuse("names a user without a password: write user:password@host, or :password@host without a user")
    return _named(_decoded(username), _decoded(password))


def _named(username: str, password: str) -> dict[str, str]:
    return {**({"username": username} if username else {}), **({"password": password} if password else {})}


def _host(text: str, default_port: int) -> tuple[str, int]:
    """Return host and port; an IPv6 address stands in brackets."""
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::([0-9]+))?", text)
    host, port = bracketed.groups() if bracketed else _name_and_port(text)
    number = int(port[:6]) if port else default_port
    if not 0 < number <= MAX_PORT:
        _refuse(f"has a port that is not a number from 1 to {MAX_PORT}")
    try:
        return str(IPv6Address(host)) if bracketed else host, number
    except ValueError:
        _refuse("has brackets without an IPv6 address")


def _name_and_port(text: str) -> tuple[str, str | None]:
    host, colon, port = text.partition(":")
    if ":" in port:
        _refuse("has an IPv6 address without brackets, or two ports: write [::1]:6379")
    if not _HOST_NAME.fullmatch(host):
        _refuse("names no host, or an invalid host name")
    if colon and not re.fullmatch("[0-9]+", port):
        _refuse(f"has a port that is not a number from 1 to {MAX_PORT}")
    return host, port or None


def _database(text: str) -> int:
    if not re.fullmatch("[0-9]{0,9}", text):
        _refuse("has a database that is not a number")
    return int(text or 0)


def _options(scheme: str, query: str) -> dict[str, str]:
    """Return the options behind the question mark; unlike in forms, + is a plus."""
    known = {
        "redis": (),
        "unix": ("db",),
        "rediss": TLS_OPTIONS,
        "redis+sentinel": SENTINEL_OPTIONS,
        "rediss+sentinel": (*TLS_OPTIONS, *SENTINEL_OPTIONS),
        "redis+cluster": (),
        "rediss+cluster": TLS_OPTIONS,
    }[scheme]
    options: dict[str, str] = {}
    for pair in query.split("&") if query else ():
        name, _, value = pair.partition("=")
        if name not in known:
            _refuse(f"has an option that {scheme}:// does not know; it knows {', '.join(known) or 'none'}")
        if name in options or not value:
            _refuse(f"has the option {name} twice or without a value")
        options[name] = _decoded(value)
    return options


def _tls(scheme: str, options: Mapping[str, str]) -> dict[str, Any]:
    files = {
        name: options[name] for name in ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile") if name in options
    }
    if not scheme.startswith("rediss"):
        return {}
    proof = options.get("ssl_cert_reqs", "required")
    if proof not in ("required", "none"):
        _refuse("has an ssl_cert_reqs that is neither required nor none")
    names = options.get("ssl_check_hostname", "true")
    if names not in ("true", "false"):
        _refuse("has an ssl_check_hostname that is neither true nor false")
    is_checked = names == "true" and proof == "required"
    return {**files, "ssl_cert_reqs": proof, "ssl_check_hostname": is_checked}

"""Which addresses a webhook may connect to: those of the Internet, unless the project allows all.

Asked of the very address that a connection is about to be made to, so a name that resolves to something else
a moment later gains nothing.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

_NAT64: Final = IPv6Network("64:ff9b::/96")
"""RFC 6052: the last 32 bits are the IPv4 address that a gateway connects to."""


class AddressRefused(OSError):
    """The address is not one of the Internet's."""


def refuse_private(address: str) -> None:
    """Refuse loopback, private, link-local (cloud metadata too), shared, multicast and reserved addresses.

    IPv6 addresses that carry an IPv4 address are judged by both.

    Raises:
        AddressRefused: it is one of these, or no address.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        raise AddressRefused("no address") from None
    carried = _carried(found) if isinstance(found, IPv6Address) else None
    for one in (carried,) if carried and found in _NAT64 else (found, carried):
        if one is not None and not _is_public(one):
            raise AddressRefused("a private address")


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not address.is_multicast


def _carried(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)

"""Which network addresses may be reached for a user: public ones, and none that only looks public."""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# RFC 6052: IPv6 addresses that stand for an IPv4 address in their last 32 bits.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# RFC 8215 (local NAT64), RFC 4380 (Teredo), RFC 3879 (site-local): never a public server.
_NEVER = (
    ipaddress.IPv6Network("64:ff9b:1::/48"),
    ipaddress.IPv6Network("2001::/32"),
    ipaddress.IPv6Network("fec0::/10"),
    ipaddress.IPv4Network("192.0.0.0/24"),
    ipaddress.IPv4Network("192.88.99.0/24"),
    ipaddress.IPv4Network("100.64.0.0/10"),
)


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet.

    False for private, loopback, link-local (with it the cloud's metadata service), shared (CGNAT), multicast, reserved
    and unspecified addresses, and for IPv6 addresses that carry such an IPv4 address (mapped, NAT64, 6to4).
    """
    return _is_public(ipaddress.ip_address(address.partition("%")[0]))


def _is_public(address: IPAddress) -> bool:
    inner = _inner(address)
    if inner is not None:
        return _is_public(inner)
    if any(address in network for network in _NEVER if network.version == address.version):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _inner(address: IPAddress) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour

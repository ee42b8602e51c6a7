"""What kind of place an IP address leads to, through every form that carries another address inside."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Literal, TypeAlias

AddressKind: TypeAlias = Literal["public", "loopback", "private", "link-local", "metadata", "reserved"]
IPAddress: TypeAlias = IPv4Address | IPv6Address

_METADATA: frozenset[IPAddress] = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "fd00:ec2::23",
        "fd20:ce::254",
    )
)
"""Where clouds serve credentials to their machines."""

_THIS_NETWORK = IPv4Network("0.0.0.0/8")
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SITE_LOCAL = IPv6Network("fec0::/10")


def parse_address(text: str) -> IPAddress:
    """An address as the resolver writes it; the scope after a % is of no matter.

    Raises:
        ValueError: the text is no IP address.
    """
    return ip_address(text.partition("%")[0])


def address_kinds(address: IPAddress) -> frozenset[AddressKind]:
    """The kinds of an address; more than one when IPv4 addresses are carried inside."""
    inner = _carried(address)
    if inner:
        return frozenset(_kind(each) for each in inner)
    return frozenset({_kind(address)})


def _carried(address: IPAddress) -> list[IPv4Address]:
    """The IPv4 addresses that packets to an IPv6 address may end at: mapped, compatible, 6to4, Teredo, NAT64."""
    if isinstance(address, IPv4Address):
        return []
    low = IPv4Address(int(address) & 0xFFFF_FFFF)
    found = [each for each in (address.ipv4_mapped, address.sixtofour, *(address.teredo or ())) if each is not None]
    if any(address in network for network in _NAT64):
        found.append(low)
    if address in _COMPATIBLE and int(address) > 1:
        found.append(low)
    return found


def _kind(address: IPAddress) -> AddressKind:
    if address in _METADATA:
        return "metadata"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if _is_reserved(address):
        return "reserved"
    if address in _SITE_LOCAL if isinstance(address, IPv6Address) else False:
        return "private"
    return "public" if address.is_global else "private"


def _is_reserved(address: IPAddress) -> bool:
    """Addresses no server has; 0.0.0.0 and its neighbours reach this very machine."""
    if isinstance(address, IPv4Address) and address in _THIS_NETWORK:
        return True
    site_local = isinstance(address, IPv6Address) and address in _SITE_LOCAL
    return address.is_unspecified or address.is_multicast or (address.is_reserved and not site_local)

"""`NetworkPolicy`: which addresses a network tool may open."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TypeAlias

from agentopic.errors import AddressRefusedError, ToolConnectionError
from agentopic.ext.tools.network._address_kind import AddressKind, address_kinds, parse_address

IPNetwork: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicy:
    """Public addresses may be opened; every other kind only when it is allowed here.

    Addresses are judged after the name is resolved, in all forms (IPv4 inside IPv6, decimal, hexadecimal), and the
    connection goes to the judged address: a name that changes its mind in between gains nothing. A name that leads
    to one refused address is refused, whatever else it leads to.
    """

    allow_private: bool = False
    """Whether loopback and private addresses may be opened; never link-local ones or a cloud's metadata."""

    allowed_networks: Sequence[str] = ()
    """Networks, say `10.2.0.0/16` or `127.0.0.1`, of which every address may be opened."""

    def __post_init__(self) -> None:
        for network in self.allowed_networks:
            ip_network(network)

    def check(self, host: str, address: str) -> None:
        """Let an address pass that `host` was resolved to.

        Raises:
            AddressRefusedError: it may not be opened.
        """
        parsed = parse_address(address)
        if any(parsed.version == n.version and parsed in n for n in self._networks()):
            return
        refused = sorted(address_kinds(parsed) - self._allowed_kinds())
        if refused:
            raise AddressRefusedError(
                f"{host!r} leads to the {refused[0]} address {address}, which tools may not open; "
                "allow it by the tool's network policy if it is meant"
            )

    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """The addresses of a host, all of which may be opened.

        Raises:
            AddressRefusedError: one of them may not be opened.
            ToolConnectionError: the name is not known.
        """
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as exc:
            raise ToolConnectionError(f"host {host!r} cannot be found: {exc}") from exc
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            self.check(host, address)
        return addresses

    def _networks(self) -> Sequence[IPNetwork]:
        return [ip_network(network) for network in self.allowed_networks]

    def _allowed_kinds(self) -> frozenset[AddressKind]:
        return frozenset({"public", "loopback", "private"} if self.allow_private else {"public"})

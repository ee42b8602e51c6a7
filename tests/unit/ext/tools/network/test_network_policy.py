"""Which addresses a tool may open, in every form an address can be written."""

from __future__ import annotations

import asyncio
import socket

import pytest

from agentopic.errors import AddressRefusedError, ToolConnectionError
from agentopic.ext.tools.network import NetworkPolicy

REFUSED = {
    "127.0.0.1": "loopback",
    "127.8.9.1": "loopback",
    "::1": "loopback",
    "10.0.0.1": "private",
    "172.16.3.4": "private",
    "192.168.1.1": "private",
    "100.64.0.1": "private",
    "fc00::1": "private",
    "fec0::1": "private",
    "192.0.2.1": "private",
    "169.254.1.1": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "169.254.169.254": "metadata",
    "100.100.100.200": "metadata",
    "168.63.129.16": "metadata",
    "fd00:ec2::254": "metadata",
    "0.0.0.0": "reserved",
    "0.1.2.3": "reserved",
    "::": "reserved",
    "224.0.0.1": "reserved",
    "255.255.255.255": "reserved",
    "ff02::1": "reserved",
    "::ffff:127.0.0.1": "loopback",
    "::ffff:169.254.169.254": "metadata",
    "::127.0.0.1": "loopback",
    "2002:7f00:1::": "loopback",
    "2002:a9fe:a9fe::1": "metadata",
    "64:ff9b::7f00:1": "loopback",
    "64:ff9b::a9fe:a9fe": "metadata",
    "64:ff9b:1::a00:1": "private",
    "2001:0:7f00:1::": "loopback",
}


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(AddressRefusedError, match=REFUSED[address]):
        NetworkPolicy().check("host", address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "2002:808:808::1", "64:ff9b::808:808"]
)
def test_a_public_address_passes(address: str) -> None:
    NetworkPolicy().check("host", address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "::1", "fc00::1", "::ffff:10.0.0.1"])
def test_private_addresses_can_be_allowed(address: str) -> None:
    NetworkPolicy(allow_private=True).check("host", address)


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:169.254.169.254", "fd00:ec2::254"]
)
def test_metadata_stays_refused_when_private_addresses_are_allowed(address: str) -> None:
    with pytest.raises(AddressRefusedError):
        NetworkPolicy(allow_private=True).check("host", address)


def test_an_allowed_network_lets_its_addresses_pass_and_no_others() -> None:
    policy = NetworkPolicy(allowed_networks=("10.2.0.0/16",))

    policy.check("host", "10.2.3.4")

    with pytest.raises(AddressRefusedError):
        policy.check("host", "10.3.0.1")


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "0x7f.1", "0177.0.0.1", "127.1", "localhost"])
async def test_an_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(AddressRefusedError):
        await NetworkPolicy().resolve(host, 80)


async def test_a_name_that_leads_to_one_refused_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def found(*_args: object, **_options: object) -> list[object]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, 80)) for each in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", found)

    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        await NetworkPolicy().resolve("two.example", 80)


async def test_an_unknown_name_is_a_connection_error() -> None:
    with pytest.raises(ToolConnectionError, match="cannot be found"):
        await NetworkPolicy().resolve("no-such-host.invalid", 80)


def test_a_network_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        NetworkPolicy(allowed_networks=("everywhere",))

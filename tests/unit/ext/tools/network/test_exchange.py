"""One exchange ends in its answer or in a typed error, whatever the other side does."""

from __future__ import annotations

import asyncio
import gzip
import logging
import socket
import zlib

import pytest

from agentopic.errors import AddressRefusedError, ToolAnswerError, ToolConnectionError, ToolServerTimeoutError
from agentopic.ext.tools.network import Bounds, Call, NetworkPolicy, exchange

HOME = NetworkPolicy(allow_private=True)


async def test_an_answer_is_read(server, answer) -> None:
    server.answers["/a"] = answer(b"hello", "X-One: 1")

    got = await exchange(Call(url=f"{server.url}/a?q=1#part"), HOME, Bounds())

    assert (got.status, got.body, got.headers["x-one"], got.cut) == (200, b"hello", "1", False)
    assert server.requests[0].startswith(b"GET /a?q=1 HTTP/1.1\r\n")


async def test_a_name_is_resolved_once_and_the_judged_address_is_connected_to(server, answer, monkeypatch) -> None:
    server.answers["/"] = answer(b"rebound")
    asked: list[str] = []

    async def rebinding(host: str, port: int, **_options: object) -> list[object]:
        asked.append(host)
        address = "93.184.216.34" if len(asked) == 1 else "127.0.0.1"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    connected: list[object] = []

    async def connect(*args: object, **options: object) -> object:
        connected.append(args[1] if len(args) > 1 else options.get("host"))
        raise OSError("no network in tests")

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", rebinding)
    monkeypatch.setattr(loop, "create_connection", connect)

    with pytest.raises(ToolConnectionError):
        await exchange(Call(url=f"http://rebind.example:{server.port}/"), NetworkPolicy(), Bounds())

    assert (asked, connected) == (["rebind.example"], ["93.184.216.34"])
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://example.com/",
        "gopher://example.com/",
        "http://user:secret@example.com/",
        "http://example.com@127.0.0.1/",
        "http:///path",
        "//example.com/",
        "javascript:alert(1)",
        "http://[::1",
        "",
    ],
)
async def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(AddressRefusedError) as refused:
        await exchange(Call(url=url), HOME, Bounds())

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]", "[::1]", "2130706433", "localhost"])
async def test_this_machine_is_refused(server, host: str) -> None:
    with pytest.raises(AddressRefusedError):
        await exchange(Call(url=f"http://{host}:{server.port}/"), NetworkPolicy(), Bounds())

    assert server.requests == []


async def test_a_redirect_to_a_refused_address_is_refused(server, answer) -> None:
    server.answers["/"] = answer(b"", "Location: http://169.254.169.254/latest/meta-data", status="302 Found")

    with pytest.raises(AddressRefusedError, match="metadata"):
        await exchange(Call(url=server.url), HOME, Bounds(redirects=5))


async def test_a_redirect_to_a_file_is_refused(server, answer) -> None:
    server.answers["/"] = answer(b"", "Location: file:///etc/passwd", status="302 Found")

    with pytest.raises(AddressRefusedError):
        await exchange(Call(url=server.url), HOME, Bounds(redirects=5))


async def test_redirects_are_followed_as_far_as_allowed(server, answer) -> None:
    server.answers["/"] = answer(b"", "Location: /b", status="302 Found")
    server.answers["/b"] = answer(b"there")

    followed = await exchange(Call(url=server.url), HOME, Bounds(redirects=1))
    kept = await exchange(Call(url=server.url), HOME, Bounds(redirects=0))

    assert (followed.body, followed.url, kept.status) == (b"there", f"{server.url}/b", 302)


async def test_a_redirect_loop_ends(server, answer) -> None:
    server.answers["/"] = answer(b"", "Location: /", status="302 Found")

    with pytest.raises(ToolAnswerError, match="more than 3 times"):
        await exchange(Call(url=server.url), HOME, Bounds(redirects=3))

    assert len(server.requests) == 4


async def test_headers_are_not_taken_along_to_another_host(server, answer) -> None:
    server.answers["/"] = answer(b"", f"Location: http://localhost:{server.port}/b", status="302 Found")
    server.answers["/b"] = answer(b"there")

    await exchange(Call(url=server.url, headers={"Authorization": "Bearer s3cret"}), HOME, Bounds(redirects=1))

    assert b"s3cret" in server.requests[0]
    assert b"s3cret" not in server.requests[1]


async def test_secrets_in_headers_reach_neither_log_nor_repr(server, answer, caplog) -> None:
    server.answers["/"] = answer(b"ok", "Set-Cookie: session=s3cret")
    call = Call(url=server.url, headers={"Authorization": "Bearer s3cret"}, body=b"s3cret")

    with caplog.at_level(logging.DEBUG):
        got = await exchange(call, HOME, Bounds())

    assert "s3cret" not in caplog.text + repr(call) + repr(got)


async def test_an_announced_length_above_the_bound_is_refused_unread(server, answer) -> None:
    server.answers["/"] = answer(b"x", length=50_000_000)

    with pytest.raises(ToolAnswerError, match="exceeds 1000 bytes"):
        await exchange(Call(url=server.url), HOME, Bounds(body_bytes=1000))


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def test_an_endless_body_is_refused_at_the_bound(server) -> None:
    server.answers["/"] = endless

    with pytest.raises(ToolAnswerError, match="exceeds"):
        await exchange(Call(url=server.url), HOME, Bounds(body_bytes=1_000_000))


async def test_an_endless_body_is_cut_where_that_is_wanted(server) -> None:
    server.answers["/"] = endless

    got = await exchange(Call(url=server.url), HOME, Bounds(body_bytes=1_000_000, cut=True))

    assert (len(got.body), got.cut) == (1_000_000, True)


@pytest.mark.parametrize(("coding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_a_packed_bomb_stays_packed(server, answer, coding, pack) -> None:
    server.answers["/"] = answer(pack(b"\0" * 50_000_000), f"Content-Encoding: {coding}")

    with pytest.raises(ToolAnswerError, match="exceeds"):
        await exchange(Call(url=server.url), HOME, Bounds(body_bytes=1_000_000))


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"packed")),
        ("gzip", gzip.compress(b"pac") + gzip.compress(b"ked")),
        ("deflate", zlib.compress(b"packed")),
        ("deflate", zlib.compress(b"packed")[2:-4]),
        ("identity", b"packed"),
    ],
)
async def test_a_packed_body_is_unpacked(server, answer, coding: str, body: bytes) -> None:
    server.answers["/"] = answer(body, f"Content-Encoding: {coding}")

    got = await exchange(Call(url=server.url), HOME, Bounds())

    assert got.body == b"packed"


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, gzip"])
async def test_a_body_that_is_not_packed_as_it_says_is_an_error(server, answer, coding: str) -> None:
    server.answers["/"] = answer(b"plain text", f"Content-Encoding: {coding}")

    with pytest.raises(ToolAnswerError):
        await exchange(Call(url=server.url), HOME, Bounds())


async def test_a_body_shorter_than_announced_is_a_connection_error(server, answer) -> None:
    server.answers["/"] = answer(b"short", length=500)

    with pytest.raises(ToolConnectionError, match="broke off"):
        await exchange(Call(url=server.url), HOME, Bounds())


async def test_what_is_no_http_is_a_connection_error(server) -> None:
    server.answers["/"] = b"\0\1\2 this is no HTTP\r\n\r\n"

    with pytest.raises(ToolConnectionError):
        await exchange(Call(url=server.url), HOME, Bounds())


async def test_a_server_that_says_nothing_times_out(server) -> None:
    async def silent(_writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server.answers["/"] = silent

    with pytest.raises(ToolServerTimeoutError, match="within"):
        await exchange(Call(url=server.url), HOME, Bounds(seconds=0.2))


async def test_a_server_that_drips_times_out(server) -> None:
    async def dripping(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.01)

    server.answers["/"] = dripping

    with pytest.raises(ToolServerTimeoutError):
        await exchange(Call(url=server.url), HOME, Bounds(seconds=0.3))


async def test_no_server_is_a_connection_error(unused_tcp_port: int) -> None:
    with pytest.raises(ToolConnectionError):
        await exchange(Call(url=f"http://127.0.0.1:{unused_tcp_port}/"), HOME, Bounds())


async def test_text_that_is_not_of_its_charset_is_replaced(server, answer) -> None:
    server.answers["/utf"] = answer(b"\xff\xe4", "Content-Type: text/plain")
    server.answers["/latin"] = answer(b"\xe4", 'Content-Type: text/plain; charset="latin-1"')
    server.answers["/odd"] = answer("ä".encode(), "Content-Type: text/plain; charset=no-such-thing")

    texts = [
        (await exchange(Call(url=server.url + path), HOME, Bounds())).text() for path in ("/utf", "/latin", "/odd")
    ]

    assert texts == ["\ufffd\ufffd", "ä", "ä"]

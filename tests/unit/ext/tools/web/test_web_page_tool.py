"""A page is read as text, in parts, with its links."""

from __future__ import annotations

import pytest

from agentopic.core import CancellationToken, ComponentLoader, ComponentPolicy, use_component_policy
from agentopic.errors import AddressRefusedError, ToolAnswerError, ToolError
from agentopic.ext.tools.web import WebPage, WebPageTool

PAGE = b"""<!doctype html><html><head><title> A
 title </title><style>p {}</style></head><body><script>alert(1)</script><h1>Head</h1><p>Some <b>bold</b> text.</p>
<a href="/next?a=1#part">Next</a> <a href="mailto:a@b.c">Mail</a> <a href="/next?a=1">Again</a>
<a href="javascript:alert(1)">Bad</a> <a href="http://[broken">Broken</a></body></html>"""


def reader(**options) -> WebPageTool:
    return WebPageTool(allowed_networks=["127.0.0.1"], **options)


async def read(tool: WebPageTool, url: str, **arguments) -> WebPage:
    return await tool.run_json({"url": url, **arguments}, CancellationToken())


async def test_a_page_is_markdown(server, answer) -> None:
    server.answers["/"] = answer(PAGE, "Content-Type: text/html")

    page = await read(reader(), server.url)

    assert (page.title, page.part, page.parts, page.links) == ("A title", 1, 1, [])
    assert page.text.startswith("# Head\n\nSome **bold** text.")
    assert "alert" not in page.text.replace("javascript:alert", "")


async def test_links_are_listed_once_and_absolute(server, answer) -> None:
    server.answers["/"] = answer(PAGE, "Content-Type: text/html")

    page = await read(reader(), server.url, with_links=True)

    assert page.links == [f"1. Next: {server.url}/next?a=1"]


async def test_a_link_is_followed_by_its_number(server, answer) -> None:
    server.answers["/"] = answer(PAGE, "Content-Type: text/html")
    server.answers["/next"] = answer(b"the next page", "Content-Type: text/plain")

    page = await read(reader(), server.url, link=1)

    assert (page.url, page.text) == (f"{server.url}/next?a=1", "the next page")
    with pytest.raises(ToolError, match="1 links"):
        await read(reader(), server.url, link=2)


async def test_a_long_page_comes_in_parts(server, answer) -> None:
    server.answers["/"] = answer(b"a" * 10 + b"b" * 5, "Content-Type: text/plain")
    tool = reader(part_characters=10)

    first, second = await read(tool, server.url), await read(tool, server.url, part=2)

    assert (first.text, second.text, first.parts) == ("a" * 10, "b" * 5, 2)
    with pytest.raises(ToolError, match="2 parts"):
        await read(tool, server.url, part=3)


async def test_a_page_above_the_bound_is_cut(server, answer) -> None:
    server.answers["/"] = answer(b"x" * 50_000_000, "Content-Type: text/plain")

    page = await read(reader(max_bytes=1_000), server.url)

    assert (page.text, page.cut) == ("x" * 1_000, True)


@pytest.mark.parametrize("head", ["Content-Type: image/png", "Content-Type: application/pdf", "X-None: 1"])
async def test_what_is_no_text_is_an_error(server, answer, head) -> None:
    server.answers["/"] = answer(b"\x89PNG\0\0", head)

    with pytest.raises(ToolAnswerError, match="not a text"):
        await read(reader(), server.url)


async def test_html_without_a_content_type_is_known_by_its_start(server, answer) -> None:
    server.answers["/"] = answer(PAGE)

    assert (await read(reader(), server.url)).title == "A title"


async def test_a_page_nested_deeper_than_any_reader_follows_is_read(server, answer) -> None:
    server.answers["/"] = answer(b"<div>" * 20_000 + b"deep" + b"</div>" * 20_000, "Content-Type: text/html")

    assert (await read(reader(), server.url)).text == "deep"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("Content-Type: text/html; charset=iso-8859-1", "<p>Grün</p>".encode("latin-1")),
        ("Content-Type: text/html", b"<meta charset=iso-8859-1><p>Gr\xfcn</p>"),
        ("Content-Type: text/html; charset=no-such", "<p>Grün</p>".encode()),
    ],
)
async def test_the_charset_is_found(server, answer, head, body) -> None:
    server.answers["/"] = answer(body, head)

    assert (await read(reader(), server.url)).text == "Grün"


async def test_an_error_status_is_an_error(server, answer) -> None:
    server.answers["/"] = answer(b"gone", status="410 Gone")

    with pytest.raises(ToolAnswerError, match="status 410"):
        await read(reader(), server.url)


async def test_this_machine_is_refused_unless_allowed(server) -> None:
    with pytest.raises(AddressRefusedError):
        await read(WebPageTool(), server.url)

    assert server.requests == []


async def test_a_link_into_the_private_network_is_refused(server, answer) -> None:
    server.answers["/"] = answer(b'<a href="http://10.0.0.1/admin">x</a>', "Content-Type: text/html")

    with pytest.raises(AddressRefusedError, match="private"):
        await read(reader(), server.url, link=1)


async def test_a_loaded_tool_allows_what_its_config_says_unless_the_policy_forbids(server, answer) -> None:
    server.answers["/"] = answer(b"ok", "Content-Type: text/plain")
    dumped = reader(part_characters=3).dump_component()

    loaded = ComponentLoader.load_component(dumped, WebPageTool)
    with use_component_policy(ComponentPolicy(allow_private_addresses=False)):
        strict = ComponentLoader.load_component(dumped, WebPageTool)

    assert (await read(loaded, server.url)).text == "ok"
    with pytest.raises(AddressRefusedError):
        await read(strict, server.url)

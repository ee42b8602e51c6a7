"""What a web server answered, as title, text and links."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urljoin

from bs4 import BeautifulSoup, Tag
from markdownify import MarkdownConverter

from agentopic.errors import ToolAnswerError
from agentopic.ext.tools.network import Answer

_HTML = frozenset({"text/html", "application/xhtml+xml"})
_INVISIBLE = ("script", "style", "noscript", "template", "svg", "iframe", "object", "head")
_MAX_LINKS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One way on from a page."""

    text: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A page as a reader sees it."""

    title: str
    text: str
    links: tuple[Link, ...] = ()


def document_of(answer: Answer) -> Document:
    """Read an answer; HTML becomes Markdown. Takes long for large pages: call it in a thread.

    Raises:
        ToolAnswerError: it is no text.
    """
    kind = answer.content_type or _guessed(answer.body)
    if kind in _HTML:
        return _html(answer)
    if kind == "application/json" or kind.endswith("+json"):
        return Document(title="", text=_indented(answer.text()))
    if kind.startswith("text/") or kind in {"application/xml", "application/javascript"} or kind.endswith("+xml"):
        return Document(title="", text=answer.text())
    raise ToolAnswerError(f"the page is {len(answer.body)} bytes of {kind}, not a text")


def _guessed(body: bytes) -> str:
    start = body[:512].lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "text/html"
    return "application/octet-stream" if b"\0" in body[:4096] else "text/plain"


def _indented(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except (ValueError, RecursionError):
        return text


def _html(answer: Answer) -> Document:
    soup = BeautifulSoup(answer.body, "html.parser", from_encoding=answer.charset)
    title = " ".join(soup.title.get_text().split()) if soup.title else ""
    links = _links(soup, answer.url)
    for tag in soup.find_all(_INVISIBLE):
        tag.decompose()
    return Document(title=title, text=_markdown(soup), links=links)


def _markdown(soup: BeautifulSoup) -> str:
    converter: Any = MarkdownConverter(heading_style="ATX", strip=["img"])
    try:
        text = str(converter.convert_soup(soup))
    except RecursionError:
        text = soup.get_text("\n")  # nested deeper than any reader would follow
    lines = (line.rstrip() for line in text.splitlines())
    return _without_gaps(lines)


def _without_gaps(lines: Any) -> str:
    kept = list[str]()
    for line in lines:
        if line or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept).strip()


def _links(soup: BeautifulSoup, base: str) -> tuple[Link, ...]:
    declared = soup.find("base", href=True)
    if isinstance(declared, Tag):
        base = urljoin(base, str(declared["href"]))
    found: dict[str, Link] = {}
    for anchor in soup.find_all("a", href=True):
        url = _absolute(base, str(anchor["href"]))
        if url is not None and url not in found and len(found) < _MAX_LINKS:
            found[url] = Link(text=" ".join(anchor.get_text().split()), url=url)
    return tuple(found.values())


def _absolute(base: str, target: str) -> str | None:
    try:
        url = urldefrag(urljoin(base, target.strip())).url
    except ValueError:
        return None
    return url if url.startswith(("http://", "https://")) else None

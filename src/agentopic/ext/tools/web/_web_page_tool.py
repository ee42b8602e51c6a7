"""`WebPageTool`: lets a model read a web page as text, piece by piece, and follow its links."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Self

from pydantic import BaseModel, Field

from agentopic.core import CancellationToken, Component
from agentopic.core._component_policy import policy_in_force
from agentopic.core.tools import BaseTool
from agentopic.errors import ToolAnswerError, ToolError
from agentopic.ext.tools.network import Answer, Bounds, Call, NetworkPolicy, exchange
from agentopic.ext.tools.web._document import Document, Link, document_of

_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,text/plain,application/json;q=0.9,*/*;q=0.1",
    "User-Agent": "agentopic-web-tool",
}
_LINKS_SHOWN = 100


class WebPageArgs(BaseModel):
    """What the model gives."""

    url: str = Field(description="Address of the page, beginning with http:// or https://")
    part: int = Field(default=1, ge=1, description="Which part of the text to read; a long page has several")
    link: int | None = Field(default=None, ge=1, description="Read the page behind this link of the page instead")
    with_links: bool = Field(default=False, description="Whether to list the links of the page, numbered")


class WebPage(BaseModel):
    """What the model gets."""

    url: str
    """After redirects."""
    title: str
    part: int
    parts: int
    text: str
    links: list[str] = []
    """`number. text: address`, when asked for."""
    cut: bool = False
    """Whether the page was longer than may be loaded."""


class WebPageToolConfig(BaseModel):
    """Config of WebPageTool."""

    timeout: float = 30.0
    max_bytes: int = 2 * 1024 * 1024
    part_characters: int = 8_000
    max_redirects: int = 5
    allow_private: bool = False
    allowed_networks: list[str] = []


class WebPageTool(BaseTool[WebPageArgs, WebPage], Component[WebPageToolConfig]):
    """Loads a page and gives one part of it as Markdown; links are numbered and can be followed by number.

    Only http and https addresses that lead to public hosts are opened, after every redirect and name look-up, unless
    `allow_private` or `allowed_networks` (`10.2.0.0/16`) let more in. A page is loaded up to `max_bytes` (unpacked)
    and `timeout` seconds, redirects included.

    Raises (from `run_json`; a workbench tells the model the text):
        AddressRefusedError: the address may not be opened.
        ToolAnswerError: the server answers with an error status, or with what is no text.
        ToolConnectionError, ToolServerTimeoutError: the page cannot be had.
    """

    component_config_schema = WebPageToolConfig
    effect = "pure"

    def __init__(
        self,
        *,
        timeout: float = 30.0,
        max_bytes: int = 2 * 1024 * 1024,
        part_characters: int = 8_000,
        max_redirects: int = 5,
        allow_private: bool = False,
        allowed_networks: list[str] | None = None,
    ) -> None:
        super().__init__(WebPageArgs, WebPage, "read_web_page", "Read a web page as text; long pages come in parts.")
        self._bounds = Bounds(seconds=timeout, body_bytes=max_bytes, redirects=max_redirects, cut=True)
        self._policy = NetworkPolicy(allow_private=allow_private, allowed_networks=tuple(allowed_networks or ()))
        self._part_characters = part_characters

    async def run(self, args: WebPageArgs, cancellation_token: CancellationToken) -> WebPage:
        """Load the page, or the one behind a link of it, and give the part asked for."""
        answer, document = await self._load(args.url)
        if args.link is not None:
            answer, document = await self._load(_chosen(document.links, args.link).url)
        size = self._part_characters
        parts = max(1, -(-len(document.text) // size))
        if args.part > parts:
            raise ToolError(f"the page has {parts} parts, there is no part {args.part}")
        return WebPage(
            url=answer.url,
            title=document.title,
            part=args.part,
            parts=parts,
            text=document.text[(args.part - 1) * size : args.part * size],
            links=_shown(document.links) if args.with_links else [],
            cut=answer.cut,
        )

    async def _load(self, url: str) -> tuple[Answer, Document]:
        answer = await exchange(Call(url=url, headers=_HEADERS), self._policy, self._bounds)
        if answer.status >= 400:
            raise ToolAnswerError(f"the server answers with status {answer.status}")
        return answer, await asyncio.to_thread(document_of, answer)

    def _to_config(self) -> WebPageToolConfig:
        return WebPageToolConfig(
            timeout=self._bounds.seconds,
            max_bytes=self._bounds.body_bytes,
            part_characters=self._part_characters,
            max_redirects=self._bounds.redirects,
            allow_private=self._policy.allow_private,
            allowed_networks=list(self._policy.allowed_networks),
        )

    @classmethod
    def _from_config(cls, config: WebPageToolConfig) -> Self:
        tool = cls(
            timeout=config.timeout,
            max_bytes=config.max_bytes,
            part_characters=config.part_characters,
            max_redirects=config.max_redirects,
            allow_private=config.allow_private,
            allowed_networks=config.allowed_networks,
        )
        if not policy_in_force().allow_private_addresses:
            tool._policy = replace(tool._policy, allow_private=False, allowed_networks=())
        return tool


def _chosen(links: tuple[Link, ...], number: int) -> Link:
    if number > len(links):
        raise ToolError(f"the page has {len(links)} links, there is no link {number}")
    return links[number - 1]


def _shown(links: tuple[Link, ...]) -> list[str]:
    return [f"{number}. {link.text}: {link.url}" for number, link in enumerate(links[:_LINKS_SHOWN], 1)]

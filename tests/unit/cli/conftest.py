"""The command line run in this process, in an empty folder, with no settings around it."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog

from agentopic.cli import main
from agentopic.core._component_policy import _chosen
from agentopic.telemetry.logging import _TALKATIVE, _VERBATIM

SHOP = """
from dataclasses import dataclass

from agentopic import AgentService, MessageContext, RoutedAgent, TopicId, TypeSubscription, message_handler, payload


@payload("shop.Order.v1")
@dataclass
class Order:
    item: str


@payload("shop.Invoice.v1")
@dataclass
class Invoice:
    item: str
    total: int


class Clerk(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("takes orders")

    @message_handler
    async def order(self, message: Order, ctx: MessageContext) -> None:
        await self.publish_message(Invoice(message.item, len(message.item)), TopicId("invoice", self.id.key))


app = AgentService(
    "clerk", Clerk, subscriptions=[TypeSubscription("order", "clerk")], publishes={"invoice": Invoice}, stateless=True
)
other = AgentService("clerk", Clerk, stateless=True)
number = 1
"""


@dataclass(frozen=True)
class Ended:
    """What a run of the command line left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    for name in list(os.environ):
        if name.startswith(("AGENTOPIC_", "AUTOGEN_", "OPENAI_", "ANTHROPIC_", "GEMINI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in (*_TALKATIVE, *_VERBATIM)}
    policy = _chosen.get()
    yield tmp_path
    _chosen.set(policy)
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def shop(folder: Path) -> str:
    """A module with a service, importable from the working directory."""
    (folder / "shop.py").write_text(SHOP)
    return "shop:app"


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    def run(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        captured = capfd.readouterr()
        return Ended(code=int(ended.value.code or 0), out=captured.out, err=captured.err)

    return run

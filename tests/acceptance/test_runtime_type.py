"""`AUTOGEN_RUNTIME_TYPE` alone moves an application between one process and the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic import AgentId, AgentRuntime, MessageContext, RoutedAgent, message_handler, payload
from agentopic.core import SingleThreadedAgentRuntime
from agentopic.engine.runtime import EngineRuntime


@payload("moved.Word.v1")
class Word(BaseModel):
    text: str


class Shouter(RoutedAgent):
    def __init__(self) -> None:
        super().__init__("shouts")

    @message_handler
    async def on_word(self, message: Word, ctx: MessageContext) -> Word:
        return Word(text=message.text.upper())

    async def save_state(self) -> dict[str, str]:
        return {}

    async def load_state(self, state: Mapping[str, Any]) -> None:
        assert not state


async def application() -> tuple[type, str]:
    """Ask an agent, on whatever runtime the configuration names; started first, as AutoGen code does."""
    runtime = AgentRuntime()
    if isinstance(runtime, SingleThreadedAgentRuntime):
        runtime.start()
    else:
        await runtime.start()
    await Shouter.register(runtime, "shouter", Shouter)
    reply = await runtime.send_message(Word(text="hello"), AgentId("shouter", "k"))
    await runtime.close()  # pyright: ignore[reportAttributeAccessIssue]
    return type(runtime), reply.text


RUNTIMES = {"local": SingleThreadedAgentRuntime, "distributed": EngineRuntime}


@pytest.mark.parametrize(("chosen", "expected"), RUNTIMES.items())
async def test_the_same_application_runs_on_either_runtime(
    chosen: str, expected: type, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv("AGENTOPIC_RUNTIME_TYPE", raising=False)
    monkeypatch.setenv("AGENTOPIC_TRANSPORT", "sqlite:///mesh/log.db")
    monkeypatch.setenv("AUTOGEN_RUNTIME_TYPE", chosen)

    runtime, answer = await application()

    assert issubclass(runtime, expected)
    assert answer == "HELLO"

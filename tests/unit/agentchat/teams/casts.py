"""Agents and teams whose run is known beforehand, of agentopic or of AutoGen; either is imported when it is named."""

from __future__ import annotations

import importlib
import json
from typing import Any


class Cast:
    """Makes agents and teams of one product; models are shared by all that it makes, as they are in the world."""

    def __init__(self, product: str = "agentopic") -> None:
        separator = "_" if product == "autogen" else "."

        def module(name: str) -> Any:
            return importlib.import_module(f"{product}{separator}{name}")

        self.core, self.models, self.contexts = module("core"), module("core.models"), module("core.model_context")
        self.agents, self.base = module("agentchat.agents"), module("agentchat.base")
        self.messages, self.teams = module("agentchat.messages"), module("agentchat.teams")
        self.conditions, self.replay = module("agentchat.conditions"), module("ext.models.replay")
        self.Teller = _teller(self)

    def client(self, *answers: str, family: str = "unknown", **info: bool) -> Any:
        known = {"vision": False, "function_calling": False, "json_output": False, "structured_output": False, **info}
        return self.replay.ReplayChatCompletionClient([*answers], {**known, "family": family})

    def tellers(self, names: str, **options: Any) -> list[Any]:
        return [self.Teller(name, **options) for name in names]

    def text(self, content: str, source: str = "user") -> Any:
        return self.messages.TextMessage(content=content, source=source)

    def graph(self, *edges: tuple[Any, ...], entry: str | None = None, **tellers: Any) -> tuple[list[Any], Any]:
        builder = self.teams.DiGraphBuilder()
        names = list(dict.fromkeys(name for edge in edges for name in edge[:2]))
        for name in names:
            builder.add_node(tellers.get(name) or self.Teller(name))
        for source, target, *options in edges:
            builder.add_edge(source, target, **(options[0] if options else {}))
        if entry is not None:
            builder.set_entry_point(entry)
        return builder.get_participants(), builder.build()


def ledger(
    speaker: str = "a", *, satisfied: bool = False, progress: bool = True, loop: bool = False, say: str = "go on"
) -> str:
    answers = {
        "is_request_satisfied": satisfied,
        "is_progress_being_made": progress,
        "is_in_loop": loop,
        "next_speaker": speaker,
        "instruction_or_question": say,
    }
    return json.dumps({name: {"reason": f"why {name}", "answer": answer} for name, answer in answers.items()})


def _teller(cast: Cast) -> Any:
    class Teller(cast.agents.BaseChatAgent):
        """Says its name and how often it has spoken, or the given texts in turn; what it was told is in `heard`."""

        produced_message_types = (cast.messages.TextMessage, cast.messages.HandoffMessage)

        def __init__(
            self,
            name: str,
            *says: str,
            inner: bool = False,
            fails_at: int = 0,
            hands_to: tuple[str, ...] = (),
        ) -> None:
            super().__init__(name, f"tells of {name}")
            self.says, self.inner, self.fails_at, self.hands_to = says, inner, fails_at, hands_to
            self.spoken = 0
            self.heard: list[list[str]] = []
            self.calls: list[str] = []

        async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
            self.heard.append([message.to_text() for message in messages])
            self.spoken += 1
            if self.spoken == self.fails_at:
                raise ValueError(f"{self.name} is lost")
            text = self.says[(self.spoken - 1) % len(self.says)] if self.says else f"{self.name}{self.spoken}"
            said: Any = cast.messages.TextMessage(content=text, source=self.name)
            if self.hands_to:
                target = self.hands_to[(self.spoken - 1) % len(self.hands_to)]
                said = cast.messages.HandoffMessage(content=text, target=target, source=self.name)
            inner = [cast.messages.ThoughtEvent(content="hm", source=self.name)] if self.inner else None
            return cast.base.Response(chat_message=said, inner_messages=inner)

        async def on_reset(self, cancellation_token: Any) -> None:
            self.calls.append("reset")
            self.spoken = 0

        async def on_pause(self, cancellation_token: Any) -> None:
            self.calls.append("pause")

        async def on_resume(self, cancellation_token: Any) -> None:
            self.calls.append("resume")

        async def save_state(self) -> Any:
            return {"spoken": self.spoken}

        async def load_state(self, state: Any) -> None:
            self.spoken = state["spoken"]

    return Teller

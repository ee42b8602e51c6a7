"""Which model the agents ask in a run: a real one, or a script; either way behind a door that notes every call."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from agentopic.demo.children import Child, Children
from agentopic.settings import Settings

_OPENAI: Final = "https://api.openai.com/v1"
_START_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """What answers behind the door."""

    scripted: bool
    model: str
    upstream: str
    key: str

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the provider of the settings, the script when they name none."""
        key, address = settings.openai_api_key, settings.openai_base_url
        return cls(
            scripted=key is None and address is None,
            model="scripted" if key is None and address is None else settings.demo_model,
            upstream=address or _OPENAI,
            # Servers that need no key are asked with one all the same: the SDK wants it.
            key=key.get_secret_value() if key else "none",
        )

    @property
    def announcement(self) -> str:
        """What people are told about the model."""
        if self.scripted:
            return (
                "model: a script, because neither OPENAI_API_KEY nor OPENAI_BASE_URL is set; "
                "the numbers are computed from the data all the same"
            )
        return f"model: {self.model} at {self.upstream}"

    def command(self, log: Path) -> Sequence[str]:
        """Return the command line of the door."""
        answers = ("--script", "agentopic.demo.script:script") if self.scripted else ("--forward", self.upstream)
        return ["-m", "agentopic.testing.scripted_model", *answers, "--log", str(log)]


class Door:
    """The running door: where agents find their model."""

    def __init__(self, provider: Provider, process: Child) -> None:
        self._provider, self._process, self._address = provider, process, ""

    @classmethod
    async def open(cls, provider: Provider, children: Children, log: Path) -> Self:
        """Start the process and wait until it serves."""
        door = cls(provider, children.start("model", provider.command(log)))
        await door._process.until_said("}\n", _START_SECONDS)
        door._address = json.loads(door._process.said().splitlines()[-1])["address"]
        return door

    def settings_for(self, caller: str) -> Mapping[str, str]:
        """Return what a worker is told, so that the call log knows its calls from those of others."""
        model = "gpt-4o-mini" if self._provider.scripted else self._provider.model
        return {
            "OPENAI_BASE_URL": f"{self._address}/{caller}/v1",
            "OPENAI_API_KEY": self._provider.key,
            "AGENTOPIC_DEMO_MODEL": model,
        }

"""`MagenticOneCoderAgent`: the team's programmer."""

from __future__ import annotations

from typing import Any, Final

from agentopic.agentchat.agents import AssistantAgent
from agentopic.core.models import ChatCompletionClient

_DESCRIPTION: Final = "A general assistant that is good with language, Python and the Linux command line."
_SYSTEM_MESSAGE: Final = """\
You solve tasks with language and with code.
Write Python in ```python blocks and shell scripts in ```sh blocks. Somebody else runs what you write, as it is.
Give one whole program per answer that needs no editing, and have it print what you want to know.
Find out by code what you do not know: print files, search, look at the system. Then finish the task step by step.
Say first which steps you mean to take if they are not obvious, and which of them are code.
When code fails, give the whole corrected program. When the result is not what was wanted, ask yourself what you
took for granted, gather what is missing, and try another way.
When you have an answer, check it, and say what it rests on."""


class MagenticOneCoderAgent(AssistantAgent):
    """An AssistantAgent that writes code for others to run; any option of AssistantAgent may be given."""

    component_provider_override = "autogen_ext.agents.magentic_one.MagenticOneCoderAgent"

    def __init__(self, name: str, model_client: ChatCompletionClient, **kwargs: Any) -> None:
        options: dict[str, Any] = {"description": _DESCRIPTION, "system_message": _SYSTEM_MESSAGE, **kwargs}
        super().__init__(name, model_client, **options)

"""`MagenticOne`: the Magentic-One team with its agents for files, web pages and code, as in `autogen_ext.teams`."""

from __future__ import annotations

from pathlib import Path

from agentopic.agentchat.agents import ApprovalFuncType, AssistantAgent, CodeExecutorAgent, UserProxyAgent
from agentopic.agentchat.agents._user_input import AsyncInputFunc, InputFuncType, SyncInputFunc
from agentopic.agentchat.base import ChatAgent
from agentopic.agentchat.teams import MagenticOneGroupChat
from agentopic.core.code_executor import CodeExecutor
from agentopic.core.models import ChatCompletionClient
from agentopic.core.tools import FunctionTool
from agentopic.ext.agents.magentic_one import MagenticOneCoderAgent
from agentopic.ext.code_executors import create_default_code_executor
from agentopic.ext.teams._file_reading import FileReading
from agentopic.ext.tools.web import WebPageTool

__all__ = ["AsyncInputFunc", "InputFuncType", "MagenticOne", "SyncInputFunc"]

_NEEDED = ("function_calling", "json_output")


class MagenticOne(MagenticOneGroupChat):
    """A Magentic-One team of FileSurfer, WebSurfer, Coder and ComputerTerminal; with `hil_mode` also a User.

    FileSurfer reads files below the working directory, WebSurfer reads pages as text and follows their links. Code runs
    where `code_executor` runs it; without one see `create_default_code_executor`. Other than in AutoGen, WebSurfer
    drives no browser.

    Args:
        client: the model of all agents and of the orchestrator.
        hil_mode: whether a person takes part.
        input_func: asks that person; the terminal unless given.
        code_executor: where code runs; a container is best.
        approval_func: asked before code is run.

    Raises:
        ValueError: the model cannot call tools or answer as JSON.
    """

    def __init__(
        self,
        client: ChatCompletionClient,
        hil_mode: bool = False,
        input_func: InputFuncType | None = None,
        code_executor: CodeExecutor | None = None,
        approval_func: ApprovalFuncType | None = None,
    ) -> None:
        self.client = client
        self._require_abilities(client)
        participants: list[ChatAgent] = [
            _file_surfer(client),
            AssistantAgent(
                "WebSurfer",
                client,
                tools=[WebPageTool()],
                reflect_on_tool_use=True,
                max_tool_iterations=5,
                description="Reads web pages as text and follows their links.",
                system_message="You answer questions from web pages. Read what you need, and say what you found where.",
            ),
            MagenticOneCoderAgent("Coder", model_client=client),
            CodeExecutorAgent(
                "ComputerTerminal", code_executor or create_default_code_executor(), approval_func=approval_func
            ),
        ]
        if hil_mode:
            participants.append(UserProxyAgent("User", input_func=input_func))
        super().__init__(participants, client)

    def _require_abilities(self, client: ChatCompletionClient) -> None:
        lacking = [ability for ability in _NEEDED if not client.model_info.get(ability)]
        if lacking:
            raise ValueError(f"a MagenticOne team needs a model with {' and '.join(lacking)}")


def _file_surfer(client: ChatCompletionClient) -> ChatAgent:
    files = FileReading(Path.cwd())
    tools = [
        FunctionTool(files.list_directory, description="List a directory.", effect="pure"),
        FunctionTool(files.read_file, description="Read a text file, in parts of 8000 characters.", effect="pure"),
    ]
    return AssistantAgent(
        "FileSurfer",
        client,
        tools=[*tools],
        reflect_on_tool_use=True,
        max_tool_iterations=5,
        description="Lists directories and reads local text files.",
        system_message="You answer questions from local files. Read what you need, and say what you found where.",
    )

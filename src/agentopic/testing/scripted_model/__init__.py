"""A chat-completions server for tests: a script answers, every call is noted, nobody is billed."""

from __future__ import annotations

from agentopic.testing.scripted_model.answers import ChatRequest, Reply, Script, ToolCall
from agentopic.testing.scripted_model.call_log import Call, CallLog, read_calls
from agentopic.testing.scripted_model.server import ScriptedModel

__all__ = ["Call", "CallLog", "ChatRequest", "Reply", "Script", "ScriptedModel", "ToolCall", "read_calls"]

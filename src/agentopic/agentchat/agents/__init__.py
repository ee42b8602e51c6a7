"""Agents that chat, as in `autogen_agentchat.agents`."""

from agentopic.agentchat.agents._assistant_agent import AssistantAgent
from agentopic.agentchat.agents._base_chat_agent import BaseChatAgent
from agentopic.agentchat.agents._code_executor_agent import CodeExecutorAgent
from agentopic.agentchat.agents._code_executor_config import ApprovalFuncType, ApprovalRequest, ApprovalResponse
from agentopic.agentchat.agents._message_filter_agent import (
    MessageFilterAgent,
    MessageFilterConfig,
    PerSourceFilter,
)
from agentopic.agentchat.agents._society_of_mind_agent import SocietyOfMindAgent
from agentopic.agentchat.agents._user_proxy_agent import UserProxyAgent

__all__ = [
    "ApprovalFuncType",
    "ApprovalRequest",
    "ApprovalResponse",
    "AssistantAgent",
    "BaseChatAgent",
    "CodeExecutorAgent",
    "MessageFilterAgent",
    "MessageFilterConfig",
    "PerSourceFilter",
    "SocietyOfMindAgent",
    "UserProxyAgent",
]

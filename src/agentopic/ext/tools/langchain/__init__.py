"""Tools written for LangChain, as in `autogen_ext.tools.langchain`."""

from agentopic.ext.tools.langchain._langchain_tool_adapter import LangChainToolAdapter

__all__ = ["LangChainToolAdapter"]

"""Code executors, as in `autogen_ext.code_executors`."""

from agentopic.ext.code_executors._default_executor import create_default_code_executor

__all__ = ["create_default_code_executor"]

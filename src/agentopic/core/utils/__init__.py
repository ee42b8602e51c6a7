"""JSON helpers under AutoGen's names (`autogen_core.utils`)."""

from agentopic.core.utils._json_schema import schema_to_pydantic_model
from agentopic.core.utils._json_text import extract_json_from_str

__all__ = ["extract_json_from_str", "schema_to_pydantic_model"]

"""An HTTP endpoint as a tool, as in `autogen_ext.tools.http`."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("httpx") is None:
    raise MissingExtraError("agentopic.ext.tools.http", "http")

from agentopic.ext.tools.http._http_tool import HttpTool, HttpToolConfig

__all__ = ["HttpTool", "HttpToolConfig"]

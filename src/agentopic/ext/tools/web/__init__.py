"""Reading the web: pages as text, a piece at a time, and the links on them."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if any(find_spec(name) is None for name in ("bs4", "httpx", "markdownify")):
    raise MissingExtraError("agentopic.ext.tools.web", "web")

from agentopic.ext.tools.web._web_page_tool import WebPage, WebPageArgs, WebPageTool, WebPageToolConfig

__all__ = ["WebPage", "WebPageArgs", "WebPageTool", "WebPageToolConfig"]

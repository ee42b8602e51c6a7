"""Reaching the network on behalf of a model: which addresses may be opened, and how much may come back."""

from importlib.util import find_spec

from agentopic.errors import MissingExtraError

if find_spec("httpx") is None:
    raise MissingExtraError("agentopic.ext.tools.network", "http")

from agentopic.ext.tools.network._exchange import Answer, Bounds, Call, exchange
from agentopic.ext.tools.network._network_policy import NetworkPolicy

__all__ = ["Answer", "Bounds", "Call", "NetworkPolicy", "exchange"]

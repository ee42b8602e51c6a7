"""`HttpTool`: lets a model call one endpoint of an HTTP server."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Any, Literal, Self, TypeAlias

from pydantic import BaseModel, Field

from agentopic.core import CancellationToken, Component
from agentopic.core._component_policy import policy_in_force
from agentopic.core._turn import OnUnknown
from agentopic.core.tools import BaseTool, ToolEffect, current_idempotency_key
from agentopic.core.utils import schema_to_pydantic_model
from agentopic.errors import ToolAnswerError
from agentopic.ext._wire_secrets import conceal_headers
from agentopic.ext.tools.http._request import filled_path, json_body, path_parameters, with_query
from agentopic.ext.tools.network import Answer, Bounds, Call, NetworkPolicy, exchange

Method: TypeAlias = Literal["GET", "POST", "PUT", "DELETE", "PATCH"]

_EFFECTS: dict[str, ToolEffect] = {"GET": "pure", "PUT": "idempotent", "DELETE": "idempotent"}
_BINARY = ("image/", "audio/", "video/", "font/", "application/octet-stream", "application/zip", "application/pdf")


class HttpToolConfig(BaseModel):
    """Config of HttpTool."""

    name: str
    description: str | None
    scheme: Literal["http", "https"] = "http"
    host: str
    port: int
    path: str = Field(default="/")
    """May hold names of arguments in braces."""
    method: Method | None = "POST"
    headers: dict[str, Any] | None = None
    json_schema: dict[str, Any]
    return_type: Literal["text", "json"] | None = "text"
    timeout: float = 5.0
    """Seconds for the whole exchange."""
    max_bytes: int | None = None
    """Our addition: of the answer; absent for 2 MiB."""
    allow_private: bool | None = None
    """Our addition: whether the name may lead to a private or loopback address."""
    effect: ToolEffect | None = None
    """Our addition; absent when the method says it."""
    on_unknown: OnUnknown | None = None
    """Our addition; absent when the service decides."""


class HttpTool(BaseTool[BaseModel, Any], Component[HttpToolConfig]):
    """Sends what a model gives to one endpoint and gives the answer back, whatever its status.

    Arguments named in the path fill it, each within its segment; the others are the query (GET, DELETE) or the JSON
    body. Inside a durable turn the request carries the header `Idempotency-Key`, the same on every attempt. GET is
    `pure`, PUT and DELETE are `idempotent`, POST and PATCH unrepeatable unless `effect` says otherwise.

    A host given as an address, or as localhost, is opened because it was named. A name that leads to a private or
    loopback address is refused unless `allow_private`; link-local and metadata addresses always are. In component
    JSON only `allow_private` counts, and only where the ComponentPolicy lets it. Redirects are not followed.

    Raises (from `run_json`; a workbench tells the model the text):
        AddressRefusedError, ToolConnectionError, ToolServerTimeoutError: the exchange failed.
        ToolAnswerError: the answer is above `max_bytes`, binary, or not the JSON asked for.
    """

    component_config_schema = HttpToolConfig
    component_provider_override = "autogen_ext.tools.http.HttpTool"

    def __init__(  # noqa: PLR0917 - AutoGen's signature
        self,
        name: str,
        host: str,
        port: int,
        json_schema: dict[str, Any],
        headers: dict[str, Any] | None = None,
        description: str = "HTTP tool",
        path: str = "/",
        scheme: Literal["http", "https"] = "http",
        method: Method = "POST",
        return_type: Literal["text", "json"] = "text",
        timeout: float = 5.0,
        *,
        max_bytes: int | None = None,
        allow_private: bool | None = None,
        effect: ToolEffect | None = None,
        on_unknown: OnUnknown | None = None,
    ) -> None:
        self._config = HttpToolConfig(
            name=name,
            description=description,
            host=host,
            port=port,
            path=path,
            scheme=scheme,
            method=method,
            headers=headers,
            json_schema=json_schema,
            return_type=return_type,
            timeout=timeout,
            max_bytes=max_bytes,
            allow_private=allow_private,
            effect=effect,
            on_unknown=on_unknown,
        )
        conceal_headers(headers)
        self.effect = effect or _EFFECTS.get(method, "unrepeatable")
        self.on_unknown = on_unknown
        unknown = path_parameters(path) - set(json_schema.get("properties", {}))
        if unknown:
            raise ValueError(
                f"the path of tool {name!r} names arguments it does not have: {', '.join(sorted(unknown))}"
            )
        self._allow_private = _is_local(host) if allow_private is None else allow_private
        super().__init__(schema_to_pydantic_model(json_schema, "DynamicModel"), object, name, description)

    @property
    def server_params(self) -> HttpToolConfig:
        """What the tool was made with."""
        return self._config

    async def run(self, args: BaseModel, cancellation_token: CancellationToken) -> Any:
        """Send the arguments; the answer as text, or as what its JSON says."""
        config = self._config
        bounds = Bounds(seconds=config.timeout)
        if config.max_bytes is not None:
            bounds = Bounds(seconds=config.timeout, body_bytes=config.max_bytes)
        policy = NetworkPolicy(allow_private=self._allow_private)
        answer = await exchange(self._call(args), policy, bounds)
        return _json(answer) if config.return_type == "json" else _text(answer)

    def _call(self, args: BaseModel) -> Call:
        config = self._config
        arguments = args.model_dump(mode="json")
        path = filled_path(config.path, arguments)
        rest = {name: value for name, value in arguments.items() if name not in path_parameters(config.path)}
        headers = {name: str(value) for name, value in (config.headers or {}).items()}
        key = current_idempotency_key()
        if key is not None and "idempotency-key" not in {name.lower() for name in headers}:
            headers["Idempotency-Key"] = key
        body = None
        if config.method in {"GET", "DELETE"}:
            path = with_query(path, rest)
        else:
            headers["Content-Type"] = "application/json"
            body = json_body(rest)
        host = f"[{config.host}]" if ":" in config.host else config.host
        url = f"{config.scheme}://{host}:{config.port}{path}"
        return Call(url=url, method=config.method or "POST", headers=headers, body=body)

    def _to_config(self) -> HttpToolConfig:
        return self._config.model_copy(update={"allow_private": self._allow_private or None})

    @classmethod
    def _from_config(cls, config: HttpToolConfig) -> Self:
        allowed = bool(config.allow_private) and policy_in_force().allow_private_addresses
        return cls(
            name=config.name,
            host=config.host,
            port=config.port,
            json_schema=config.json_schema,
            headers=config.headers,
            description=config.description or "HTTP tool",
            path=config.path,
            scheme=config.scheme,
            method=config.method or "POST",
            return_type=config.return_type or "text",
            timeout=config.timeout,
            max_bytes=config.max_bytes,
            allow_private=allowed,
            effect=config.effect,
            on_unknown=config.on_unknown,
        )


def _is_local(host: str) -> bool:
    """Whether a host is named so that only loopback or one address can be meant."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _text(answer: Answer) -> str:
    if answer.content_type.startswith(_BINARY):
        raise ToolAnswerError(f"the answer is {len(answer.body)} bytes of {answer.content_type}, not a text")
    return answer.text()


def _json(answer: Answer) -> Any:
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError) as exc:
        raise ToolAnswerError(f"the answer (status {answer.status}) is not JSON: {exc}") from exc

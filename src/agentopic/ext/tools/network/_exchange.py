"""One HTTP exchange on behalf of a model: to allowed addresses only, bounded in bytes, time and redirects."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import httpcore
import httpx

from agentopic.errors import AddressRefusedError, ToolAnswerError, ToolConnectionError, ToolServerTimeoutError
from agentopic.ext.tools.network._checked_pool import checked_pool
from agentopic.ext.tools.network._content_coding import ACCEPTED_CODINGS, Unpacker
from agentopic.ext.tools.network._network_policy import NetworkPolicy

_MIB = 1024 * 1024
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_OWN_HEADERS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})
"""Headers that the exchange itself sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much an exchange may take."""

    seconds: float = 30.0
    """From the first look-up of a name to the last byte, redirects included."""
    body_bytes: int = 2 * _MIB
    """Of the body, unpacked."""
    redirects: int = 0
    """How many are followed; the one after them is the answer."""
    cut: bool = False
    """Whether a body above the bound is cut there; otherwise it is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    url: str
    """Of the last request: redirects change it."""
    status: int
    headers: Mapping[str, str] = field(repr=False)
    """By lower-case name; of a name sent twice the last."""
    body: bytes = field(repr=False)
    cut: bool = False
    """Whether the body goes on."""

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters; empty when none is given."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def charset(self) -> str | None:
        """The character set that the content type names."""
        for parameter in self.headers.get("content-type", "").split(";")[1:]:
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset":
                return value.strip().strip("\"'") or None
        return None

    def text(self) -> str:
        """The body by its charset, UTF-8 by default; bytes that do not fit become replacement characters."""
        try:
            return self.body.decode(self.charset or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode("utf-8", errors="replace")


async def exchange(call: Call, policy: NetworkPolicy, bounds: Bounds) -> Answer:
    """Ask, follow redirects as far as allowed, and read the answer.

    Raises:
        AddressRefusedError: an address or scheme on the way may not be opened.
        ToolAnswerError: the answer is larger than allowed, or broken.
        ToolConnectionError: the server cannot be reached or breaks off.
        ToolServerTimeoutError: it was not done in time.
    """
    try:
        async with asyncio.timeout(bounds.seconds):
            return await _followed(call, policy, bounds)
    except TimeoutError as exc:
        host = _parsed(call.url).host
        raise ToolServerTimeoutError(f"{host!r} did not end its answer within {bounds.seconds:g} s") from exc


async def _followed(call: Call, policy: NetworkPolicy, bounds: Bounds) -> Answer:
    url = _parsed(call.url)
    for _ in range(bounds.redirects + 1):
        answer = await _asked(call, url, policy, bounds)
        location = answer.headers.get("location")
        if bounds.redirects == 0 or answer.status not in _REDIRECTS or not location:
            return answer
        call = _redirected(call, url, answer.status, location)
        url = _parsed(call.url)
    raise ToolAnswerError(f"{url.host!r} redirects more than {bounds.redirects} times")


def _parsed(text: str) -> httpx.URL:
    """A URL that may be opened as far as it can be judged by its text.

    Raises:
        AddressRefusedError: it is no http or https URL, or carries a user name.
    """
    try:
        url = httpx.URL(text)
    except (httpx.InvalidURL, TypeError, ValueError) as exc:
        raise AddressRefusedError(f"not a URL: {exc}") from exc
    if url.scheme not in {"http", "https"}:
        raise AddressRefusedError(f"a URL must begin with http:// or https://, not {url.scheme!r}")
    if not url.host:
        raise AddressRefusedError("the URL has no host")
    if url.userinfo:
        raise AddressRefusedError("a URL with a user name or password before the host may not be opened")
    return url


def _redirected(call: Call, url: httpx.URL, status: int, location: str) -> Call:
    try:
        target = url.join(location)
    except (httpx.InvalidURL, ValueError) as exc:
        raise ToolAnswerError(f"{url.host!r} redirects to what is no URL") from exc
    at_home = _origin(target) == _origin(url)
    if status in {307, 308} and at_home:
        return replace(call, url=str(target))
    if status in {307, 308} and call.body is not None:
        raise AddressRefusedError(f"{url.host!r} redirects what was sent to another host, {target.host!r}")
    return Call(url=str(target), headers=call.headers if at_home else {})


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


async def _asked(call: Call, url: httpx.URL, policy: NetworkPolicy, bounds: Bounds) -> Answer:
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    headers = {name: value for name, value in call.headers.items() if name.lower() not in _OWN_HEADERS}
    headers["Accept-Encoding"] = ACCEPTED_CODINGS
    limits = {"connect": bounds.seconds, "read": bounds.seconds, "write": bounds.seconds, "pool": bounds.seconds}
    try:
        async with (
            checked_pool(policy) as pool,
            pool.stream(
                call.method, target, headers=_encoded(headers), content=call.body, extensions={"timeout": limits}
            ) as response,
        ):
            return await _read(str(url), response, bounds)
    except httpcore.TimeoutException as exc:
        raise ToolServerTimeoutError(f"{url.host!r} did not answer within {bounds.seconds:g} s") from exc
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as exc:
        if isinstance(exc, AddressRefusedError | ToolConnectionError):
            raise
        raise ToolConnectionError(f"the exchange with {url.host!r} broke off: {exc or type(exc).__name__}") from exc


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("ascii"), value.encode("latin-1", errors="replace")) for name, value in headers.items()]


async def _read(url: str, response: httpcore.Response, bounds: Bounds) -> Answer:
    headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers}
    announced = headers.get("content-length", "")
    if not bounds.cut and announced.isdecimal() and int(announced) > bounds.body_bytes:
        raise _too_large(url, bounds)
    unpacker, body, cut = Unpacker(headers.get("content-encoding", "")), bytearray(), False
    async for piece in response.aiter_stream():
        body += unpacker.feed(piece, bounds.body_bytes + 1 - len(body))
        if len(body) > bounds.body_bytes:
            cut = True
            break
    if cut and not bounds.cut:
        raise _too_large(url, bounds)
    return Answer(url=url, status=response.status, headers=headers, body=bytes(body[: bounds.body_bytes]), cut=cut)


def _too_large(url: str, bounds: Bounds) -> ToolAnswerError:
    return ToolAnswerError(f"the answer of {httpx.URL(url).host!r} exceeds {bounds.body_bytes} bytes")

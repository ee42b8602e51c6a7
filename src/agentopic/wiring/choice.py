"""Which adapter a URL asks for: scheme, optional client library, one instance per shared name."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from weakref import WeakValueDictionary

from agentopic.concealment import conceal, masked, passwords
from agentopic.errors import ConfigError, MissingExtraError

Made = TypeVar("Made")


def chosen(setting: str, url: str, makers: Mapping[str, Callable[[str], Made]]) -> Callable[[str], Made]:
    """Return what makes the adapter of a URL.

    Raises:
        ConfigError: its scheme is unknown; the message starts with `setting` and names those that are known.
    """
    conceal(*passwords(url))
    scheme, found, _ = url.partition("://")
    maker = makers.get(scheme.lower()) if found else None
    if maker is None:
        known = ", ".join(f"{each}://" for each in makers)
        raise ConfigError(f"{setting}={masked(url)!r} has no known scheme: use one of {known}")
    return maker


@contextmanager
def extra(feature: str, name: str, modules: tuple[str, ...]) -> Generator[None]:
    """Say which extra to install when the import of a client library fails inside the block."""
    try:
        yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] in modules:
            raise MissingExtraError(feature, name) from exc
        raise


def require_redis(setting: str, url: str) -> None:
    """Raise ConfigError, naming `setting`, unless the URL is a Redis one."""
    conceal(*passwords(url))
    if url.partition("://")[0].lower() not in {"redis", "rediss"}:
        raise ConfigError(f"{setting}={masked(url)!r} has no known scheme: use redis:// or rediss://")


def sqlite_path(setting: str, url: str) -> Path:
    """Return the file of a URL: `sqlite:///a` is relative to the working directory, `sqlite:////a` absolute.

    Raises:
        ConfigError: it names no file; the message starts with `setting`.
    """
    _, found, path = url.partition(":///")
    if not found or not path or path.endswith("/"):
        raise ConfigError(
            f"{setting}={url!r} names no file: write sqlite:///folder/file.db (relative to the working "
            "directory) or sqlite:////folder/file.db (absolute)"
        )
    return Path(path)


def shared(known: WeakValueDictionary[str, Made], url: str, make: Callable[[], Made]) -> Made:
    """Return what carries the URL's name, made at its first use; without a name, one of its own."""
    name = url.partition("://")[2]
    if not name:
        return make()
    found = known.get(name)
    if found is None:
        found = known[name] = make()
    return found

"""The checks of `agentopic doctor`, each with what to do about it."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from agentopic import wiring
from agentopic.cli.topic_plan import owned_topics, plan_rows
from agentopic.errors import AgentopicError, ConfigError
from agentopic.settings import Settings, masked, unknown_variables

Status = Literal["ok", "warn", "fail"]

_MINIMUM_PYTHON = (3, 11)
_EXTRAS = {"kafka": "aiokafka", "postgres": "asyncpg", "openai": "openai"}
_LOW_BYTES = 1024**3
_EMPTY_BYTES = 100 * 1024**2
# No clock that is right can show a time before this version was written.
_RELEASED = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found, and what to do unless it is `ok`."""

    check: str
    status: Status
    detail: str
    fix: str | None = None


async def examine(settings: Settings, targets: Sequence[str]) -> list[Finding]:
    """Run every check; one that fails keeps none of the others from running."""
    findings = [_python(), *_extras(settings), _variables(), _model_key(settings), _disk(settings), _clock()]
    findings.append(await _transport(settings))
    findings.append(await _journal(settings))
    if targets:
        findings.extend([finding async for finding in _topics(settings, targets)])
    return findings


def _python() -> Finding:
    good = sys.version_info >= _MINIMUM_PYTHON
    return Finding(
        check="python",
        status="ok" if good else "fail",
        detail=platform.python_version(),
        fix=None if good else "install Python 3.11 or later",
    )


def _extras(settings: Settings) -> Iterator[Finding]:
    urls = (settings.transport, settings.journal or "")
    needed = {
        "kafka": settings.transport.startswith("kafka:"),
        "postgres": any(url.startswith(("postgres:", "postgresql:")) for url in urls),
        "openai": False,
    }
    for extra, module in _EXTRAS.items():
        present = find_spec(module) is not None
        missing: Status = "fail" if needed[extra] else "warn"
        yield Finding(
            check=f"extra {extra}",
            status="ok" if present else missing,
            detail="installed" if present else "not installed",
            fix=None if present else f"pip install 'agentopic[{extra}]'",
        )


def _variables() -> Finding:
    unknown = unknown_variables()
    return Finding(
        check="settings",
        status="warn" if unknown else "ok",
        detail=f"no setting: {', '.join(unknown)}" if unknown else "all variables are known",
        fix="correct or unset them; `agentopic config show` lists the settings" if unknown else None,
    )


def _model_key(settings: Settings) -> Finding:
    keys = (settings.openai_api_key, settings.anthropic_api_key, settings.gemini_api_key)
    present = any(keys) or settings.openai_base_url is not None
    return Finding(
        check="model key",
        status="ok" if present else "warn",
        detail="set" if present else "none",
        fix=None if present else "set OPENAI_API_KEY, or OPENAI_BASE_URL for a compatible server",
    )


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(_existing(_folder(settings))).free
    status: Status = "fail" if free < _EMPTY_BYTES else "warn" if free < _LOW_BYTES else "ok"
    return Finding(
        check="disk",
        status=status,
        detail=f"{free / 1024**3:.1f} GiB free",
        fix=None if status == "ok" else "free some space: a full disk stops the journal",
    )


def _folder(settings: Settings) -> Path:
    for url in (settings.journal or "", settings.transport):
        if url.startswith("sqlite:///"):
            return wiring.sqlite_path("AGENTOPIC_TRANSPORT", url).parent
    return Path.cwd()


def _existing(folder: Path) -> Path:
    return next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())


def _clock() -> Finding:
    now = datetime.now(UTC)
    good = now >= _RELEASED
    return Finding(
        check="clock",
        status="ok" if good else "fail",
        detail=now.isoformat(timespec="seconds"),
        fix=None if good else "set the clock: it lies before this version was released",
    )


async def _transport(settings: Settings) -> Finding:
    try:
        if not _to_be_made(settings.transport):
            wires = wiring.transport_of(settings.transport)
            try:
                await wires.transport.start()
                count = len(await wires.admin.topics())
            finally:
                await wires.transport.aclose()
                await wires.admin.aclose()
            return _reached("transport", settings.transport, f", {count} topics")
    except AgentopicError as exc:
        return _failed("transport", exc, "start the broker or correct AGENTOPIC_TRANSPORT")
    return _reached("transport", settings.transport, ", made at the first start")


async def _journal(settings: Settings) -> Finding:
    try:
        url = settings.journal_url()
        if not _to_be_made(url):
            journal = wiring.journal_of(url)
            try:
                await journal.start()
            finally:
                await journal.aclose()
            return _reached("journal", url, "")
    except AgentopicError as exc:
        return _failed("journal", exc, "start the database or correct AGENTOPIC_JOURNAL")
    return _reached("journal", url, ", made at the first start")


def _to_be_made(url: str) -> bool:
    """Looking must not create a file."""
    return url.startswith("sqlite:") and not wiring.sqlite_path("AGENTOPIC_TRANSPORT", url).exists()


async def _topics(settings: Settings, targets: Sequence[str]) -> AsyncGenerator[Finding]:
    try:
        specs = await owned_topics(settings, targets)
        existing = {} if _to_be_made(settings.transport) else await _existing_topics(settings)
    except AgentopicError as exc:
        yield _failed("topics", exc, "correct the target or the settings")
        return
    for row in plan_rows(specs, existing):
        missing = row["status"] == "create"
        good = row["status"] == "exists"
        yield Finding(
            check=f"topic {row['topic']}",
            status="ok" if good else "warn" if missing and settings.topics == "create" else "fail",
            detail="missing" if missing else str(row["status"]),
            fix=None if good else f"agentopic topics apply {' '.join(targets)}" if missing else _OTHER_PARTITIONS,
        )


_OTHER_PARTITIONS = "set AGENTOPIC_PARTITIONS to what the topic has: adding partitions moves keys"


async def _existing_topics(settings: Settings) -> dict[str, int]:
    wires = wiring.transport_of(settings.transport)
    try:
        await wires.transport.start()
        return dict(await wires.admin.topics())
    finally:
        await wires.transport.aclose()
        await wires.admin.aclose()


def _reached(check: str, url: str, more: str) -> Finding:
    return Finding(check=check, status="ok", detail=masked(url) + more)


def _failed(check: str, exc: AgentopicError, fix: str) -> Finding:
    # The message of a configuration error already says what to change.
    return Finding(
        check=check,
        status="fail",
        detail=masked(" ".join(str(exc).split())),
        fix="see detail" if isinstance(exc, ConfigError) else fix,
    )

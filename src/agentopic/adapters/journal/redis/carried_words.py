"""Carried rows as words: every cell is read, and refused where it is not what it should be, before any is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agentopic.adapters.journal.carried import Cells, outbox_identity
from agentopic.adapters.journal.redis.batches import SPEND_COUNTS
from agentopic.adapters.journal.redis.rows import pack_address, pack_content, pack_row
from agentopic.adapters.journal.redis.words import Words
from agentopic.errors import ValueRefusedError
from agentopic.ports.journal import PortableRow

_OUTCOMES: Final = ("done", "dead", "expired", "cancelled")


def restore_words(rows: Sequence[PortableRow]) -> Words:
    """Return what `restore` reads.

    Raises:
        ValueRefusedError: a row is malformed.
    """
    words = Words()
    words.append(len(rows))
    for row in rows:
        words.append(row.table)
        _WRITERS[row.table](words, Cells(row))
    return words


def _agent(words: Words, cells: Cells) -> None:
    version, folded = cells.get("version", int), cells.maybe("snapshot_version", int)
    words.put(cells.get("id", bytes), cells.maybe("group", str) or "", version)
    words.maybe(cells.maybe("snapshot", bytes))
    words.append(version if folded is None else folded)


def _event(words: Words, cells: Cells) -> None:
    words.put(cells.get("id", bytes), cells.get("version", int), cells.get("value", bytes))


def _lane(words: Words, cells: Cells) -> None:
    words.put(cells.get("id", bytes), cells.get("group", str), cells.get("key", str))
    words.maybe(cells.maybe("ready_ms", int))
    words.flag(cells.get("paused", bool))
    words.put(*(cells.get(name, int) for name in ("attempts", "failures", "crashes")))


def _delivery(words: Words, cells: Cells) -> None:
    words.put(cells.get("lane", bytes), cells.get("identity", bytes), cells.get("head", bytes))
    words.maybe(cells.maybe("body", bytes))
    words.maybe(cells.maybe("request_id", str))
    addresses = cells.addresses()
    words.put(len(addresses), *(pack_address(*address) for address in addresses))
    words.maybe(cells.maybe("deadline_ms", int))
    words.maybe(cells.maybe("caller", bytes))
    words.flag(cells.get("cancelled", bool))


def _step(words: Words, cells: Cells) -> None:
    words.put(cells.get("turn", bytes), cells.get("key", bytes), cells.maybe("lane", bytes) or b"")
    words.put(cells.get("kind", str), cells.get("name", str), cells.get("intent_ms", int))
    words.maybe(cells.maybe("due_ms", int))
    words.maybe(cells.maybe("note", bytes))
    words.maybe(cells.maybe("result", bytes))


def _seen(words: Words, cells: Cells) -> None:
    words.put(cells.get("identity", bytes), cells.get("at_ms", int))


def _answer(words: Words, cells: Cells) -> None:
    request_id, outcome = cells.get("request_id", str), cells.get("outcome", str)
    if outcome not in _OUTCOMES:
        raise ValueRefusedError(f"the answer of request {request_id} has an unknown outcome")
    content = pack_content(cells.maybe("key", bytes), cells.maybe("value", bytes), cells.headers())
    words.put(request_id, outcome, content, cells.get("keep_until_ms", int))


def _outbox(words: Words, cells: Cells) -> None:
    lane, row = cells.maybe("lane", bytes), cells.outbox_row()
    words.append(outbox_identity(lane, row))
    words.maybe(lane)
    words.append(pack_row(row))


def _spend(words: Words, cells: Cells) -> None:
    words.put(cells.get("scope", str), *(cells.maybe(name, int) or 0 for name in SPEND_COUNTS))


_WRITERS: Final[Mapping[str, Callable[[Words, Cells], None]]] = {
    "agent": _agent,
    "event": _event,
    "lane": _lane,
    "delivery": _delivery,
    "step": _step,
    "seen": _seen,
    "answer": _answer,
    "outbox": _outbox,
    "spend": _spend,
}

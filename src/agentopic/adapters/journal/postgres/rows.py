"""What the database returns, as the port's values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agentopic.adapters.journal.postgres.headers import unpack_headers
from agentopic.adapters.journal.postgres.link import Link, Row
from agentopic.ports.journal import Incoming, OutboxRow, Started, StoredRow

_EXPIRED, _CANCELLED = 1, 2
_NOTHING: Mapping[bytes, Incoming] = {}


def split_effects(effects: Sequence[Row]) -> tuple[Sequence[Row], Row]:
    """Part the lanes of a call from the summary in its last row."""
    return effects[:-1], effects[-1]["summary"]


async def read_started(
    link: Link, lanes: Sequence[Row], stored: Mapping[bytes, Incoming] = _NOTHING
) -> Sequence[Started]:
    """Return the lanes of a call, with the rows an earlier holder left in them.

    Heads that were stored by this very call are not sent back: `stored` has them, by identity.
    Those rows are read by a second call: nobody but the holder deletes them, and few lanes have any.
    """
    crowded: Sequence[bytes] = [row["lane"] for row in lanes if row["unsent"]]
    unsent = await _unsent(link, crowded)
    return [_started(row, unsent.get(row["lane"], ()), stored) for row in lanes]


async def read_rows(link: Link, ids: Sequence[int]) -> Sequence[StoredRow]:
    """Return outbox rows by their ids."""
    if not ids:
        return ()
    found = await link.call("SELECT * FROM outbox WHERE id = ANY ($1) ORDER BY id", ids)
    return [stored_row(row) for row in found]


def stored_row(row: Row) -> StoredRow:
    """Return one row of the outbox."""
    record = OutboxRow(
        topic=row["topic"],
        key=row["key"],
        value=row["value"],
        headers=unpack_headers(row["headers"]),
        partition=row["partition"],
    )
    return StoredRow(row["id"], row["lane"], record)


async def _unsent(link: Link, lanes: Sequence[bytes]) -> Mapping[bytes, Sequence[StoredRow]]:
    if not lanes:
        return {}
    found = await link.call("SELECT * FROM outbox WHERE lane = ANY ($1) ORDER BY id", lanes)
    return _by_lane(stored_row(row) for row in found)


def _by_lane(rows: Iterable[StoredRow]) -> Mapping[bytes, Sequence[StoredRow]]:
    lanes: dict[bytes, list[StoredRow]] = {}
    for row in rows:
        if row.lane is not None:
            lanes.setdefault(row.lane, []).append(row)
    return lanes


def _started(row: Row, unsent: Sequence[StoredRow], stored: Mapping[bytes, Incoming]) -> Started:
    lane, group, key, token, pos, identity, head, body, attempts, failures, crashes, version, _, flags, _ = row
    if pos is None:
        return Started(lane=lane, group=group, key=key, token=token, pos=None, version=version, unsent=unsent)
    if head is None:
        head, body = stored[identity].head, stored[identity].body
    return Started(
        lane=lane,
        group=group,
        key=key,
        token=token,
        pos=pos,
        identity=identity,
        head=head,
        body=body,
        attempts=attempts,
        failures=failures,
        crashes=crashes,
        version=version,
        unsent=unsent,
        expired=bool(flags & _EXPIRED),
        cancelled=bool(flags & _CANCELLED),
    )

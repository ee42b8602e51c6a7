"""Cost of writing and reading one 1 KiB event as a Kafka record, beside the cloudevents SDK."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from cloudevents.core.bindings import kafka as sdk

from agentopic.envelope import Envelope, agent_source, kafka, new_id

_CALLS = 2_000
_ROUNDS = 15


def run() -> dict[str, object]:
    """Return microseconds per call, the best of alternating rounds, and how much faster ours is."""
    plain, full = _event(extensions={}), _event(extensions=_extensions())
    return {
        "calls": _CALLS,
        "rounds": _ROUNDS,
        "data_bytes": len(plain.data or b""),
        "core attributes": _compare(plain),
        f"core attributes and {len(full.extensions)} extensions": _compare(full),
    }


def _event(extensions: dict[str, str | int]) -> Envelope:
    return Envelope(
        id=new_id(),
        source=agent_source("prod", "analyst", "customer-4711"),
        type="orders.OrderPlaced.v1",
        subject="customer-4711",
        time=datetime.now(UTC),
        datacontenttype="application/json",
        data=json.dumps({"text": "x" * 1012}).encode(),
        extensions=extensions,
    )


def _extensions() -> dict[str, str | int]:
    return {
        "correlationid": new_id(),
        "causationid": new_id(),
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "agmsgkind": "publish",
        "agtopictype": "task",
        "agtopicsource": "customer-4711",
        "agagentsendertype": "analyst",
        "agagentsenderkey": "customer-4711",
        "aghops": 3,
        "agattempt": 1,
    }


def _compare(envelope: Envelope) -> dict[str, object]:
    ours = kafka.encode(envelope, key=b"customer-4711")
    event = envelope.to_sdk()
    theirs = sdk.to_binary_event(event)
    calls: dict[str, Callable[[], object]] = {
        "encode": lambda: kafka.encode(envelope, key=b"customer-4711"),
        "decode": lambda: kafka.decode(ours),
        "sdk encode": lambda: sdk.to_binary_event(event),
        "sdk decode": lambda: sdk.from_binary_event(theirs),
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(_ROUNDS):
        for name, call in calls.items():
            best[name] = min(best[name], _microseconds(call))
    return {
        "us": {name: round(cost, 2) for name, cost in best.items()},
        "ratio": {
            "encode": round(best["sdk encode"] / best["encode"], 2),
            "decode": round(best["sdk decode"] / best["decode"], 2),
        },
    }


def _microseconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(_CALLS):
        call()
    return (time.perf_counter() - began) / _CALLS * 1e6


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)

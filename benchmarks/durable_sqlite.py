"""Durable turns per second on SQLite, transport and journal in one file, beside AutoGen's gRPC runtime."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from benchmarks._child import ours
from benchmarks._peers import autogen_grpc
from benchmarks._preload import fill
from benchmarks._rounds import alternate, ratio
from benchmarks._scale import scaled

_ROUNDS = 3


def run() -> dict[str, object]:
    """Return medians per contender and the ratio of their rates."""
    turns = scaled(5_000, least=1_000)
    figures = alternate({"agentopic": lambda: _engine(turns), **autogen_grpc()}, _ROUNDS)
    return {
        "turns": turns,
        "rounds": _ROUNDS,
        **figures,
        "ratio": {"autogen grpc": ratio(figures, "agentopic", "autogen grpc")},
        "wanted": {"autogen grpc": 1.0},
    }


def _engine(turns: int) -> Mapping[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'mesh.db'}"
        asyncio.run(fill(url, "bench", turns))
        return ours("_engine_load", url, url, "bench", turns)


if __name__ == "__main__":
    json.dump(run(), sys.stdout, indent=2)

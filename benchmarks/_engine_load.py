"""The engine's part of a comparison: `python -m benchmarks._engine_load <transport> <journal> <namespace> <turns>`."""

from __future__ import annotations

import asyncio
import cProfile
import json
import os
import sys
from pathlib import Path

from agentopic.engine.collector import calm_collector
from benchmarks._service import work_off


def main() -> None:
    """Print turns per second and CPU per turn; `AGENTOPIC_BENCH_PROFILE` names a file for a profile."""
    transport, journal, namespace, turns = sys.argv[1:]
    target = os.environ.get("AGENTOPIC_BENCH_PROFILE")
    calm_collector()  # as every service process does
    profile = cProfile.Profile()
    calm_collector()  # as `agentopic run` does
    if target:
        profile.enable()
    pace = asyncio.run(work_off(transport, journal, namespace, int(turns)))
    if target:
        profile.disable()
        profile.dump_stats(Path(target))
    json.dump(pace.as_json(), sys.stdout)


if __name__ == "__main__":
    main()

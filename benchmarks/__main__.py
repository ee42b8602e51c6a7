"""Run the benchmarks: one JSON document with machine, versions, date and results on stdout, a table on stderr.

`python -m benchmarks [--scale 1] [name …]`; the scale multiplies counts and times.
"""

from __future__ import annotations

import argparse
import json
import os
import pkgutil
import platform
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from agentopic.errors import BedUnavailableError
from benchmarks._child import ORACLE
from benchmarks._scale import VARIABLE
from benchmarks._table import table

_PACKAGES = ("agentopic", "pydantic", "protobuf", "cloudevents", "aiokafka", "asyncpg", "redis")
_PEERS = ("autogen-core", "autogen-ext", "faststream", "grpcio")


def main(arguments: list[str]) -> int:
    """Run the named benchmarks, all when none is named."""
    known = sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if _is_public(module.name)
    )
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and compare in one run.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"which to run: {', '.join(known)}")
    parser.add_argument("--scale", type=float, default=1.0, help="what to multiply counts and times with")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - set(known)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    os.environ[VARIABLE] = str(given.scale)
    circumstances = {**_circumstances(), "scale": given.scale}
    results = {name: _run(name) for name in given.names or known}
    json.dump({**circumstances, "results": results}, sys.stdout, indent=2, ensure_ascii=False)
    print()
    print(f"\n{table(results)}", file=sys.stderr)
    return 0


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _run(name: str) -> object:
    print(f"{name} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    try:
        result = import_module(f"benchmarks.{name}").run()
    except BedUnavailableError as exc:
        result = {"left_out": str(exc)}
    print(f"{name}: {time.monotonic() - began:.1f} s", file=sys.stderr, flush=True)
    return result


def _circumstances() -> dict[str, object]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": f"{platform.system()} {platform.release()}",
            "architecture": platform.machine(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "load": [round(load, 2) for load in os.getloadavg()],
        },
        "versions": {
            "python": platform.python_version(),
            **{name: _version(name) for name in _PACKAGES},
            **_peers(),
        },
    }


def _peers() -> dict[str, str]:
    if not ORACLE.exists():
        return {}
    ask = f"from importlib.metadata import version; print(*map(version, {_PEERS!r}))"
    told = subprocess.run([str(ORACLE), "-c", ask], capture_output=True, text=True, timeout=60, check=False)
    return dict(zip(_PEERS, told.stdout.split(), strict=False))


def _processor() -> str | None:
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

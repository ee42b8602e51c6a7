"""Run the benchmarks: one JSON document with machine, versions, date and results; progress on stderr."""

from __future__ import annotations

import json
import os
import pkgutil
import platform
import sys
import time
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("agentopic", "pydantic", "protobuf", "cloudevents", "aiokafka", "asyncpg", "redis")


def main(names: list[str]) -> int:
    """Run the named benchmarks, all when none is named."""
    known = sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if _is_public(module.name)
    )
    unknown = set(names) - set(known)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    results = {name: _run(name) for name in names or known}
    json.dump({**_circumstances(), "results": results}, sys.stdout, indent=2)
    print()
    return 0


def _is_public(name: str) -> bool:
    return not name.startswith("_")


def _run(name: str) -> object:
    print(f"{name} …", file=sys.stderr, flush=True)
    began = time.monotonic()
    result = import_module(f"benchmarks.{name}").run()
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
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
    }


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

"""The planner of the demo as a process of its own."""

from __future__ import annotations

from agentopic.cli import main

if __name__ == "__main__":
    main(["run", "agentopic.demo.planner:app"])

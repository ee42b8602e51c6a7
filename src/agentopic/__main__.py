"""`python -m agentopic`: the command line."""

from __future__ import annotations

from agentopic.cli import main

if __name__ == "__main__":
    main()

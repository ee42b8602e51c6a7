"""The scripted model of the demo: plans, programs and wordings made from what it is asked, and from nothing else."""

from __future__ import annotations

from agentopic.demo.script.author import script

__all__ = ["script"]

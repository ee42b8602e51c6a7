"""`agentopic dev` without a mesh: services in one process, events from stdin, what they publish on stdout."""

from __future__ import annotations

import asyncio

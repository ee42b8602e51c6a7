"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .town import Town


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with Town() as mesh:
        yield mesh

"""Fixtures of the fault suite: the mesh under fault."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from .fleet import Fleet
from .shop_mesh import Mesh

Open = Callable[..., AbstractContextManager[Mesh]]


@pytest.fixture
def open_mesh(kafka: str, postgres_dsn: str, ns: str, tmp_path: Path) -> Open:
    """Return what opens the mesh, on the session's servers or on those given."""

    @contextmanager
    def opened(*, broker: str = kafka, journal: str = postgres_dsn, **environment: str) -> Generator[Mesh]:
        with Fleet(tmp_path, transport=f"kafka://{broker}", journal=journal, namespace=ns, **environment) as fleet:
            yield Mesh(broker, fleet)

    return opened

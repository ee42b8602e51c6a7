"""A client library has named importers, so that it can be replaced where it is named and nowhere else."""

from __future__ import annotations

from fnmatch import fnmatch

import pytest

from .source_tree import imported, modules, name_of

OWNERS = {
    # The demo's publisher and subscriber stand for programs of other teams.
    "aiokafka": ("adapters/transport/kafka*", "demo/outside/*"),
    "alembic": ("adapters/journal/postgres/migrations/*",),
    "asyncpg": ("adapters/journal/postgres*", "testing/postgres.py"),
    "docker": ("ext/code_executors/docker/*",),
    "mcp": ("ext/tools/mcp/*",),
    "mcp_types": ("ext/tools/mcp/*",),
    "httpcore": ("ext/tools/network/*",),
    "bs4": ("ext/tools/web/*",),
    "markdownify": ("ext/tools/web/*",),
    "redis": (
        "adapters/*/redis*",
        "ext/memory/redis/*",
        "ext/cache_store/redis.py",
    ),
    "openai": ("ext/models/openai/*",),
    "tiktoken": ("ext/models/openai/*",),
    "anthropic": ("ext/models/anthropic/*",),
    "google": ("ext/models/gemini/*", "_proto/*", "envelope/protobuf.py", "core/_serialization.py"),
    "ollama": ("ext/models/ollama/*",),
    "diskcache": ("ext/cache_store/diskcache.py",),
    "aiolimiter": ("adapters/rate_limit/local.py",),
    "typer": ("cli/*",),
    "cloudevents": ("envelope/sdk.py", "envelope/envelope.py"),
}


@pytest.mark.parametrize("library", OWNERS)
def test_only_its_owners_import(library: str) -> None:
    importers = [name_of(path) for path in modules() if library in {name.split(".")[0] for name in imported(path)}]

    strangers = [name for name in importers if not any(fnmatch(name, owner) for owner in OWNERS[library])]

    assert strangers == []

"""The committed modules of `agentopic._proto` are what the contracts generate."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "src" / "agentopic" / "_proto"
WRITTEN_BY_HAND = {"__init__.py", "pool.py"}


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_protos", ROOT / "protos" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_modules_are_those_of_the_contracts(tmp_path: Path) -> None:
    generator().generate(tmp_path)

    generated = {path.name: path.read_text() for path in tmp_path.iterdir()}
    committed = {path.name: path.read_text() for path in COMMITTED.glob("*.py*") if path.is_file()}
    for name in WRITTEN_BY_HAND:
        del committed[name]

    assert generated == committed, "run `make proto`"

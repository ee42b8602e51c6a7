"""Clients send and understand what AutoGen's do, but for the differences listed here and in docs/models.md."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

pytestmark = pytest.mark.oracle

HERE = Path(__file__).parent
ORACLE = HERE.parents[3] / ".venv-oracle" / "bin" / "python"
USAGE = '[0].stream_options: nothing, here {"include_usage": true}'
TOLD = "[0].system: nothing, here "
BREAKS = "a stream that breaks off is an error, never a short answer"
WORDS = "a reason that providers have added since"
TYPO = "an argument that the provider does not know is refused before it is sent"

DELIBERATE_DIFFERENCES: dict[str, tuple[list[str], str]] = {
    "openai: schema, not kept to": (
        [': "raises ValueError", here {"finish": "stop", "content": "hi", "usage": [5, 2], "thought": null}'],
        "who asked validates the text, and has it",
    ),
    "openai: stream: sent": ([USAGE], "streams are billed too"),
    "openai: stream thought: sent": ([USAGE], "streams are billed too"),
    "openai: stream calls: sent": ([USAGE], "streams are billed too"),
    "openai: stream thought": (['[4].thought: "m", here "hm"'], "the whole thought"),
    "anthropic: long: sent": (
        ["[0].messages[2].content[1].is_error: nothing, here true"],
        "the model is told which calls failed",
    ),
    "anthropic: json: sent": ([TOLD], "the provider has no JSON mode"),
    "anthropic: response format: sent": ([TOLD], "the provider has no JSON mode"),
    "anthropic: finish refusal": (['.finish: "unknown", here "content_filter"'], WORDS),
    "anthropic: finish model_context_window_exceeded": (['.finish: "unknown", here "length"'], WORDS),
    "anthropic: cached input": ([".usage[0]: 5, here 8"], "input from the provider's cache is input"),
    "anthropic: unknown argument": ([': {"finish": '], TYPO),
    "anthropic: unknown argument: sent": (["[0]: "], TYPO),
    "anthropic: stream cut": ([': ["a", "b", {'], BREAKS),
    "ollama: long: sent": (
        [
            '[0].messages[2].thinking: nothing, here "hm"',
            '[0].messages[3].tool_name: nothing, here "weather"',
            '[0].messages[4].tool_name: nothing, here "clock"',
        ],
        "the model is told what it thought and whose result it reads",
    ),
    "ollama: unknown argument": ([': {"finish": '], TYPO),
    "ollama: unknown argument: sent": (["[0]: "], TYPO),
    "ollama: tool calls": (['.content[2]: "1 ids", here "2 ids"'], "each call has an id of its own"),
    "ollama: thought": (['.thought: null, here "hm"'], "the thought is kept"),
    "ollama: tagged thought": (
        ['.content: "<think>hm</think>\\nhi", here "hi"', '.thought: null, here "hm"'],
        "as the clients of other providers do",
    ),
    "ollama: finish length": (['.finish: "unknown", here "length"'], WORDS),
    "ollama: stream calls": (['[1].finish: "stop", here "function_calls"'], "as without a stream"),
    "ollama: stream thought": (
        ['[1].finish: "unknown", here "length"', '[1].thought: null, here "h"'],
        "as without a stream",
    ),
    "ollama: stream cut": ([': ["a", "b", {'], BREAKS),
}


@pytest.fixture(scope="module")
def outcomes() -> tuple[dict[str, Any], dict[str, Any]]:
    if not ORACLE.exists():
        reason = "no oracle: 'make oracle' sets up AutoGen 0.7.5 to compare with"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; it is part of every CI run", pytrace=False)
        pytest.skip(reason)
    return _printed(str(ORACLE), "autogen_core"), _printed(sys.executable, "agentopic.core")


def _printed(python: str, package: str) -> dict[str, Any]:
    command = [python, str(HERE / "autogen_models.py"), package]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def _differences(theirs: object, ours: object, path: str = "") -> Iterator[str]:
    """Each place that is not the same, with what is there in both."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        their_fields, our_fields = cast("dict[str, Any]", theirs), cast("dict[str, Any]", ours)
        for name in sorted(their_fields.keys() | our_fields.keys()):
            yield from _differences(their_fields.get(name, ...), our_fields.get(name, ...), f"{path}.{name}")
    elif isinstance(theirs, list) and isinstance(ours, list):
        their_items, our_items = cast("list[Any]", theirs), cast("list[Any]", ours)
        for at in range(max(len(their_items), len(our_items))):
            their, our = (items[at] if at < len(items) else ... for items in (their_items, our_items))
            yield from _differences(their, our, f"{path}[{at}]")
    elif theirs != ours:
        yield f"{path}: {_written(theirs)}, here {_written(ours)}"


def _written(value: object) -> str:
    return "nothing" if value is ... else json.dumps(value)


def test_requests_and_results_are_those_of_autogen(outcomes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = outcomes
    same = theirs.keys() - DELIBERATE_DIFFERENCES.keys()

    assert len(same) > 100
    assert {name: ours[name] for name in same} == {name: theirs[name] for name in same}


@pytest.mark.parametrize("name", DELIBERATE_DIFFERENCES)
def test_a_deliberate_difference_is_as_documented(name: str, outcomes: tuple[dict[str, Any], dict[str, Any]]) -> None:
    theirs, ours = outcomes
    expected, _ = DELIBERATE_DIFFERENCES[name]

    found = list(_differences(theirs[name], ours[name]))

    assert len(found) == len(expected)
    assert all(each.startswith(start) for each, start in zip(found, expected, strict=True)), found

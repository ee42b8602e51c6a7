"""The second program users know from AutoGen: two agents in turn, with changed import lines alone.

It sets no end. One run is ended by the budget of calls that its model server grants, the other by `max_turns`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from llmock.scenarios import Fail, Reply
from llmock.testing import LLMockServer

EXAMPLE = (Path(__file__).parent / "seed_example_2.txt").read_text(encoding="utf-8")
RUN = """

result = asyncio.run(multi_agent_example())
print(*(m.source for m in result.messages), result.stop_reason)
"""
ANSWERS = ("AutoGen的核心特性是事件驱动。", "技术文档已经写成。")


@pytest.fixture
def server() -> Iterator[LLMockServer]:
    with LLMockServer() as running:
        yield running


def run(program: str, server: LLMockServer, folder: Path) -> subprocess.CompletedProcess[str]:
    path = folder / "program.py"
    path.write_text(program + RUN, encoding="utf-8")
    environment = {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": server.base_url("openai"), "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, encoding="utf-8", timeout=50, check=False
    )


def test_the_example_takes_turns_until_max_turns(server: LLMockServer, tmp_path: Path) -> None:
    for answer in ANSWERS * 2:
        server.state.scenarios.add(Reply(answer, times=1))
    program = EXAMPLE.replace("[researcher, writer])", "[researcher, writer], max_turns=4)")

    ended = run(program, server, tmp_path)

    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.split()[:5] == ["user", "researcher", "writer", "researcher", "writer"]
    assert "Maximum number of turns 4 reached" in ended.stdout


def test_the_example_as_it_stands_goes_on_until_its_budget_ends_it(server: LLMockServer, tmp_path: Path) -> None:
    for answer in ANSWERS * 3:
        server.state.scenarios.add(Reply(answer, times=1))
    server.state.scenarios.add(Fail(402, times=None))

    ended = run(EXAMPLE, server, tmp_path)

    assert ended.returncode != 0
    assert "RuntimeError" in ended.stderr or "ModelRefusedError" in ended.stderr

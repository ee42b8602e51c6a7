"""A canvas keeps every revision of its files, and takes patches that fit."""

from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.core import CancellationToken
from agentopic.core.memory import MemoryContent
from agentopic.core.model_context import UnboundedChatCompletionContext
from agentopic.core.tools import StaticWorkbench
from agentopic.errors import PatchError
from agentopic.ext.memory.canvas import TextCanvas, TextCanvasMemory


@pytest.fixture
def canvas() -> TextCanvas:
    canvas = TextCanvas()
    canvas.add_or_update_file("a.txt", "one\ntwo\nthree\n")
    return canvas


def test_revisions_are_kept(canvas) -> None:
    canvas.add_or_update_file("a.txt", b"one\n2\nthree\n")

    assert canvas.list_files() == {"a.txt": 2}
    assert canvas.get_latest_content("a.txt") == "one\n2\nthree\n"
    assert [canvas.get_revision_content("a.txt", n) for n in (0, 1, 3)] == ["", "one\ntwo\nthree\n", ""]
    diff = "--- a.txt@r1\n+++ a.txt@r2\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    assert canvas.get_revision_diffs("a.txt") == [diff]
    assert (canvas.get_latest_content("none"), canvas.get_revision_diffs("none")) == ("", [])


def test_the_model_reads_all_files(canvas) -> None:
    canvas.add_or_update_file("b", "x")

    shown = canvas.get_all_contents_for_context()

    assert shown == (
        "=== CANVAS FILES ===\nFile: a.txt (rev 1):\none\ntwo\nthree\n\n\nFile: b (rev 1):\nx\n\n=== END OF CANVAS ==="
    )


def test_a_patch_makes_a_revision(canvas) -> None:
    canvas.apply_patch("a.txt", b"--- a.txt\n+++ a.txt\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n")

    assert (canvas.get_latest_content("a.txt"), canvas.list_files()) == ("one\n2\nthree\n", {"a.txt": 2})


@pytest.mark.parametrize(
    "patch",
    [
        "@@ -2 +2 @@\n-two\n+2\n",
        "@@ -99,1 +99,1 @@\n-two\n+2\n",
        "@@ -1,9 +1,9 @@ def f():\n one\n-two\n+2\n three\n",
        "diff --git a b\nindex 1..2\n--- a\n+++ b\n@@ -2 +2 @@\n-two\n+2",
    ],
    ids=["no header", "wrong line", "wrong counts", "git"],
)
def test_a_patch_as_models_write_it_fits(canvas, patch) -> None:
    canvas.apply_patch("a.txt", patch)

    assert canvas.get_latest_content("a.txt") == "one\n2\nthree\n"


@pytest.mark.parametrize(
    ("name", "patch"),
    [
        ("none", "@@ -1 +1 @@\n-a\n+b\n"),
        ("a.txt", ""),
        ("a.txt", "nonsense"),
        ("a.txt", "@@ -2 +2 @@\n-zwei\n+2\n"),
        ("a.txt", "@@ -1 +1 @@\n-one\n+1\nnonsense\n"),
        ("a.txt", "--- a\n+++ a\n@@ -1 +1 @@\n-one\n+1\n--- b\n+++ b\n@@ -1 +1 @@\n-x\n+y\n"),
    ],
)
def test_a_patch_that_does_not_fit_changes_nothing(canvas, name, patch) -> None:
    with pytest.raises(PatchError):
        canvas.apply_patch(name, patch)

    assert canvas.list_files() == {"a.txt": 1}


def unified(before: str, after: str) -> str:
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), "a", "b")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


texts = st.lists(st.sampled_from(["a", "b", "-- c", "++ d", ""]), max_size=12).map("\n".join)


@given(texts, st.booleans(), texts, st.booleans())
def test_the_diff_of_two_texts_turns_one_into_the_other(before, before_ends, after, after_ends) -> None:
    before += "\n" * (before_ends and bool(before))
    after += "\n" * (after_ends and bool(after))
    canvas = TextCanvas()
    canvas.add_or_update_file("f", before)

    if before != after:
        canvas.apply_patch("f", unified(before, after))

    assert canvas.get_latest_content("f") == after


async def test_the_tools_write_and_patch(canvas) -> None:
    memory = TextCanvasMemory()
    workbench = StaticWorkbench([memory.get_update_file_tool(), memory.get_apply_patch_tool()])

    written = await workbench.call_tool("update_file", {"filename": "f", "new_content": "x = 1\n"})
    patched = await workbench.call_tool("apply_patch", {"filename": "f", "patch_text": "@@ -1 +1 @@\n-x = 1\n+x = 2\n"})
    failed = await workbench.call_tool("apply_patch", {"filename": "f", "patch_text": "nonsense"})

    assert (written.to_text(), patched.to_text()) == ('{"status": "OK"}', '{"status": "PATCH APPLIED"}')
    assert failed.is_error
    assert memory.canvas.get_latest_content("f") == "x = 2\n"


async def test_the_tools_states_hold_the_canvas() -> None:
    one, other = TextCanvasMemory(), TextCanvasMemory()
    await one.get_update_file_tool().run_json({"filename": "f", "new_content": "x"}, CancellationToken())

    await other.get_apply_patch_tool().load_state_json(await one.get_update_file_tool().save_state_json())

    assert other.canvas.get_latest_content("f") == "x"


async def test_the_memory_shows_the_canvas() -> None:
    memory, context = TextCanvasMemory(), UnboundedChatCompletionContext()
    await memory.add(MemoryContent(content="x", mime_type="text/plain", metadata={"filename": "f"}))

    result = await memory.update_context(context)

    shown = memory.canvas.get_all_contents_for_context()
    assert [message.content for message in await context.get_messages()] == [shown]
    assert [each.content for each in result.memories.results] == [shown]
    assert (await memory.query("f")).results == []
    await memory.clear()
    assert memory.canvas.list_files() == {}

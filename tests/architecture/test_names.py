"""A module is named after the one thing it holds."""

from __future__ import annotations

from .source_tree import modules, name_of

WITHOUT_A_NOUN = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "shared", "tools_common"}
# The sub-packages of AutoGen keep the names that people import.
GIVEN_BY_AUTOGEN = ("core/utils/", "agentchat/utils/")


def test_no_module_is_named_after_nothing() -> None:
    nameless = [
        name_of(path)
        for path in modules()
        if not name_of(path).startswith(GIVEN_BY_AUTOGEN)
        and WITHOUT_A_NOUN & {part.strip("_") for part in name_of(path).removesuffix(".py").split("/")}
    ]

    assert nameless == []


def test_every_module_says_its_role_in_its_docstring() -> None:
    silent = [name_of(path) for path in modules() if not path.read_text().lstrip().startswith(('"""', 'r"""'))]

    assert silent == []

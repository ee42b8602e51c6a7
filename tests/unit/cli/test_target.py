from __future__ import annotations

from pathlib import Path

import pytest

from agentopic.cli.target import load_services
from agentopic.errors import ConfigError


def test_a_service_is_found_in_the_working_directory(shop: str):
    (service,) = load_services([shop])

    assert service.name == "clerk"


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("shop", "write module:attr"),
        (":app", "write module:attr"),
        ("shop:", "write module:attr"),
        ("shopp:app", "there is no module 'shopp'"),
        ("shop.inner:app", "there is no module 'shop.inner'"),
        ("shop:ap", "has no attribute 'ap'; it has app, other"),
        ("shop:number", "is a int, not an AgentService"),
        ("shop:Clerk", r'AgentService\("name", Clerk\)'),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_target_that_names_no_service_is_explained(target: str, says: str):
    with pytest.raises(ConfigError, match=says):
        load_services([target])


def test_two_services_of_one_name_are_refused(shop: str):
    with pytest.raises(ConfigError, match="two services are named 'clerk'"):
        load_services([shop, "shop:other"])


def test_a_missing_package_inside_the_module_is_named(folder: Path):
    (folder / "broken_import.py").write_text("import surely_not_installed\n")

    with pytest.raises(ConfigError, match="broken_import imports 'surely_not_installed'"):
        load_services(["broken_import:app"])


def test_a_missing_name_inside_the_module_is_named(folder: Path):
    (folder / "broken_name.py").write_text("from json import no_such_name\n")

    with pytest.raises(ConfigError, match="broken_name cannot be imported: cannot import name 'no_such_name'"):
        load_services(["broken_name:app"])


def test_a_syntax_error_is_shown_with_its_place(folder: Path):
    (folder / "broken_syntax.py").write_text("x = (\n")

    with pytest.raises(ConfigError, match=r"broken_syntax.py, line 1"):
        load_services(["broken_syntax:app"])

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agentopic.cli.target import load_services
from agentopic.errors import ConfigError

SOURCE = """
from agentopic.agentchat.agents import AssistantAgent
from agentopic.agentchat.teams import RoundRobinGroupChat
from agentopic.ext.models.replay import ReplayChatCompletionClient


def make_team():
    agents = [AssistantAgent(name, ReplayChatCompletionClient(["x"])) for name in ("writer", "critic")]
    return RoundRobinGroupChat(agents, name="pair", max_turns=2)


def needs_more(arguments):
    return make_team()


def makes_none():
    return 7


team = make_team()
"""


@pytest.fixture
def pair(folder: Path) -> Path:
    (folder / "pair_of_agents.py").write_text(SOURCE)
    return folder


@pytest.mark.usefixtures("pair")
def test_a_function_that_makes_a_team_stands_for_all_its_members() -> None:
    services = load_services(["pair_of_agents:make_team"])

    assert [service.name for service in services] == ["pair", "pair.writer", "pair.critic"]


@pytest.mark.usefixtures("pair")
def test_one_member_of_a_team_is_served_under_another_name_of_the_team() -> None:
    (service,) = load_services(["pair_of_agents:make_team"], only=["critic"], name="duo")

    assert service.name == "duo.critic"


def test_component_json_stands_for_a_team(pair: Path) -> None:
    from agentopic.agentchat.teams import RoundRobinGroupChat

    namespace: dict[str, object] = {}
    exec(SOURCE, namespace)
    team = namespace["team"]
    assert isinstance(team, RoundRobinGroupChat)
    (pair / "team.json").write_text(team.dump_component().model_dump_json())

    services = load_services(["team.json"])

    assert [service.name for service in services] == ["pair", "pair.writer", "pair.critic"]


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("pair_of_agents:team", "a team object cannot be deployed"),
        ("pair_of_agents:needs_more", "cannot be called without arguments"),
        ("pair_of_agents:makes_none", "a team is needed, .* and makes_none gives a 7"),
        ("missing.json", "missing.json holds no team"),
        ("list.json", "component JSON is an object"),
        ("wrong.json", "wrong.json: "),
    ],
)
def test_what_makes_no_team_is_explained(pair: Path, target: str, says: str) -> None:
    (pair / "list.json").write_text("[]")
    (pair / "wrong.json").write_text(json.dumps({"provider": "nobody.knows.This", "config": {}}))

    with pytest.raises(ConfigError, match=says):
        load_services([target])


def test_members_of_what_is_no_team_are_refused(shop: str) -> None:
    with pytest.raises(ConfigError, match="--only and --name are for teams"):
        load_services([shop], only=["manager"])

"""Addresses of agents and topics."""

from __future__ import annotations

import pickle

import pytest

from agentopic.core import AgentId, AgentType, DefaultTopicId, TopicId
from agentopic.errors import InvalidNameError


def test_agent_id_text_splits_at_the_first_slash() -> None:
    agent_id = AgentId.from_str("writer/tenant/7")

    assert (agent_id.type, agent_id.key, str(agent_id)) == ("writer", "tenant/7", "writer/tenant/7")


def test_agent_ids_are_equal_by_value_and_hash_alike() -> None:
    assert {AgentId("a", "b"): 1}[AgentId(AgentType("a"), "b")] == 1
    assert AgentId("a", "b") != AgentId("a", "c")
    assert AgentId("a", "b") != "a/b"


def test_agent_id_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(AgentId("a", "b"))) == AgentId("a", "b")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a:b", "a=b", "a\n"])
def test_agent_type_with_other_characters_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="invalid agent type"):
        AgentId(name, "k")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "a\n"])
def test_topic_type_with_other_characters_is_refused(name: str) -> None:
    with pytest.raises(InvalidNameError, match="invalid topic type"):
        TopicId(name, "k")


@pytest.mark.parametrize("read", [AgentId.from_str, TopicId.from_str])
def test_text_without_a_slash_is_no_id(read: type) -> None:
    with pytest.raises(InvalidNameError, match="expected"):
        read("nothing")  # pyright: ignore[reportCallIssue]


def test_topic_ids_are_equal_by_value_whatever_their_class() -> None:
    assert DefaultTopicId("t", "s") == TopicId("t", "s")
    assert {TopicId("t", "s"): 1}[DefaultTopicId("t", "s")] == 1
    assert TopicId("t", "s") != TopicId("t", "r")
    assert TopicId("t", "s") != ("t", "s")


def test_default_topic_outside_of_a_handler_has_the_default_source() -> None:
    assert str(DefaultTopicId()) == "default/default"

"""Mesh names: one form, read back by everybody."""

from __future__ import annotations

from uuid import UUID

import pytest

from agentopic.core import AgentId
from agentopic.engine.mesh_names import MeshName, mesh_type, parse_mesh_type, place_of
from agentopic.engine.process_lived.members import Members
from agentopic.envelope import new_id


def test_a_mesh_name_is_an_agent_type_and_is_read_back():
    process = new_id()
    name = mesh_type("my.agent-1", process)

    assert AgentId(name, "k").type == name
    assert parse_mesh_type(name) == MeshName("my.agent-1", process)


@pytest.mark.parametrize("name", ["clerk", "clerk.p-1", "clerk.p-", "a.p-0190-x", f".p-{UUID(int=0)}"])
def test_other_types_are_no_mesh_names(name: str):
    assert parse_mesh_type(name) is None


def test_a_process_hears_in_one_partition_of_the_replies_topic():
    process = new_id()

    topic, partition = place_of("town", process, 4)

    assert topic == "town.replies"
    assert 0 <= partition < 4
    assert place_of("town", process, 4) == (topic, partition)


def test_members_translate_their_own_names_and_leave_all_others():
    process, other = new_id(), new_id()
    members = Members(lambda: process)
    members.add("friend")
    mine, theirs = AgentId(mesh_type("friend", process), "k"), AgentId(mesh_type("friend", other), "k")

    assert members.outside(AgentId("friend", "k")) == mine
    assert members.inside(mine) == AgentId("friend", "k")
    assert members.here(mine) == AgentId("friend", "k")
    assert members.inside(theirs) == theirs
    assert members.here(theirs) is None
    assert members.outside(AgentId("clerk", "k")) == AgentId("clerk", "k")

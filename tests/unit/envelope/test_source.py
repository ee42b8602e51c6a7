"""The source of an agent's events names that agent and no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.envelope import Envelope, agent_source, parse_agent_source
from agentopic.errors import EnvelopeError

from .strategies import texts


@given(texts, texts, texts)
def test_source_is_reversible(namespace: str, agent_type: str, agent_key: str) -> None:
    source = agent_source(namespace, agent_type, agent_key)

    assert parse_agent_source(source) == (namespace, agent_type, agent_key)
    assert source.isascii()


def test_key_cannot_break_out_of_its_place() -> None:
    assert agent_source("prod", "analyst", "a/b c?é") == "/prod/agents/analyst/a%2Fb%20c%3F%C3%A9"


def test_a_key_whose_encoding_is_too_long_for_a_source_is_a_digest_there() -> None:
    longest = "k" * (1024 - len("/prod/agents/analyst/"))
    sources = [agent_source("prod", "analyst", key) for key in (longest, longest + "k", "é" * 512, "会" * 341)]

    assert [parse_agent_source(each) for each in sources] == [("prod", "analyst", longest), None, None, None]
    assert len(set(sources)) == 4
    for source in sources:
        assert Envelope(id="1", source=source, type="t").source == source


@pytest.mark.parametrize(
    "source",
    [
        "",
        "/",
        "https://x/agents/a/b",
        "/ns/agents/a",
        "/ns/agents/a/b/c",
        "/ns/users/a/b",
        "/ns/agents/a/%41",
        "/n/agents/a/%FF",
    ],
)
def test_other_sources_name_no_agent(source: str) -> None:
    assert parse_agent_source(source) is None


@given(st.text())
def test_no_text_breaks_the_parser(source: str) -> None:
    parse_agent_source(source)


def test_lone_surrogate_is_refused() -> None:
    with pytest.raises(EnvelopeError):
        agent_source("ns", "t", "\ud800")

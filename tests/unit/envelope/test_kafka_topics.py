"""Kafka names: legal, reversible, prefix-preserving."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agentopic.envelope import kafka_topics as kt
from agentopic.errors import ConfigError

topic_types = st.from_regex(r"[\w\-\.\:\=]+", fullmatch=True).filter(lambda name: len(name) <= 12)
anything = st.text(max_size=12)
legal = re.compile(r"[a-zA-Z0-9._-]*")


@given(anything)
def test_encoding_is_legal_and_reversible(name: str) -> None:
    encoded = kt.encode_name(name)

    assert legal.fullmatch(encoded)
    assert kt.decode_name(encoded) == name


@given(topic_types, topic_types)
def test_one_name_is_a_prefix_of_another_exactly_when_its_encoding_is(one: str, other: str) -> None:
    encoded = kt.encode_name(other)

    assert other.startswith(one) == encoded.startswith(kt.encode_name(one))
    assert encoded.startswith(kt.encode_name(other[: len(one)]))


@given(anything, st.integers(0, 12))
def test_a_cut_encoding_never_stands_for_another_name(name: str, cut: int) -> None:
    beginning = kt.decode_name(kt.encode_name(name)[:cut])

    assert beginning is None or name.startswith(beginning)


@given(st.text(alphabet="-cueU0149afx._", max_size=12))
def test_only_canonical_encodings_are_decoded(encoded: str) -> None:
    name = kt.decode_name(encoded)

    assert name is None or kt.encode_name(name) == encoded


@pytest.mark.parametrize(
    ("topic_type", "expected"),
    [
        ("task", "prod.topic.task"),
        ("code_review", "prod.topic.code_review"),
        ("orders.placed", "prod.topic.orders.placed"),
        ("a:b=c-d", "prod.topic.a-cb-ec--d"),
        ("é", "prod.topic.-u00e9"),
        ("𠮷", "prod.topic.-U020bb7"),
    ],
)
def test_names_stay_readable(topic_type: str, expected: str) -> None:
    assert kt.topic_events("prod", topic_type) == expected


def test_every_kind_of_topic_has_its_name() -> None:
    made = [
        kt.agent_requests("prod", "analyst"),
        kt.control("prod", "analyst"),
        kt.team("prod", "research"),
        kt.replies("prod"),
        kt.dead_letters("prod", "analyst"),
        kt.stream("prod"),
        kt.runs("prod"),
        kt.consumer_group("prod", "analyst"),
    ]

    assert made == [
        "prod.agent.analyst",
        "prod.control.analyst",
        "prod.team.research",
        "prod.replies",
        "prod.dead.analyst",
        "prod.stream",
        "prod.runs",
        "prod.analyst",
    ]


@given(st.sampled_from(["topic", "agent", "control", "team", "dead"]), topic_types)
def test_built_names_are_taken_apart_again(kind: str, name: str) -> None:
    build = {
        "topic": kt.topic_events,
        "agent": kt.agent_requests,
        "control": kt.control,
        "team": kt.team,
        "dead": kt.dead_letters,
    }[kind]

    assert kt.parse_topic(build("my-ns", name)) == ("my-ns", kind, name)


@pytest.mark.parametrize(("build", "kind"), [(kt.replies, "replies"), (kt.stream, "stream"), (kt.runs, "runs")])
def test_names_of_a_namespace_are_taken_apart_again(build: Callable[[str], str], kind: str) -> None:
    assert kt.parse_topic(build("prod")) == ("prod", kind, "")


@given(topic_types)
def test_consumer_group_is_taken_apart_again(agent_type: str) -> None:
    assert kt.parse_consumer_group(kt.consumer_group("prod", agent_type)) == ("prod", agent_type)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "prod",
        "prod.",
        "prod.topic",
        "prod.topic.",
        "prod.other.x",
        "prod.replies.x",
        "prod.topic.a-",
        "a b.topic.x",
        "prod.topic.-u0061",
        "__consumer_offsets",
        "prod.topic.-U110000",
        "prod.topic.-U0000e9",
    ],
)
def test_foreign_names_are_not_ours(name: str) -> None:
    assert kt.parse_topic(name) is None


@given(topic_types, topic_types)
def test_prefix_pattern_matches_exactly_the_topics_of_the_prefix(prefix: str, topic_type: str) -> None:
    pattern = re.compile(kt.topic_events_pattern("a-b", prefix))

    assert bool(pattern.match(kt.topic_events("a-b", topic_type))) == topic_type.startswith(prefix)
    assert pattern.match(kt.topic_events("a-b", prefix + topic_type))
    assert not pattern.match(kt.agent_requests("a-b", prefix + topic_type))


def test_empty_prefix_matches_every_topic_type() -> None:
    assert re.match(kt.topic_events_pattern("ns", ""), kt.topic_events("ns", "anything"))


@pytest.mark.parametrize("namespace", ["", "a.b", "a b", "é", "x" * 65, "a\n"])
def test_namespace_that_would_blur_names_is_refused(namespace: str) -> None:
    for build in (kt.replies, kt.stream, kt.runs):
        with pytest.raises(ConfigError, match="namespace"):
            build(namespace)
    with pytest.raises(ConfigError, match="namespace"):
        kt.topic_events(namespace, "t")


def test_name_longer_than_kafka_allows_is_refused() -> None:
    longest = "t" * (kt.MAX_NAME_LENGTH - len("ns.topic."))

    assert len(kt.topic_events("ns", longest)) == kt.MAX_NAME_LENGTH
    with pytest.raises(ConfigError, match="250 characters"):
        kt.topic_events("ns", longest + "t")


def test_empty_name_is_refused() -> None:
    with pytest.raises(ConfigError, match="empty"):
        kt.agent_requests("ns", "")


@given(topic_types, topic_types)
def test_clash_is_what_the_broker_refuses(one: str, other: str) -> None:
    assume(one != other)

    clashes = kt.clash(kt.topic_events("ns", one), kt.topic_events("ns", other))

    assert clashes == (one.replace(".", "_") == other.replace(".", "_"))


def test_dot_and_underscore_clash() -> None:
    assert kt.clash(kt.topic_events("ns", "a.b"), kt.topic_events("ns", "a_b"))
    assert not kt.clash("ns.topic.a", "ns.topic.a")

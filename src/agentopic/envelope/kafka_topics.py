"""The names of Kafka topics and consumer groups: built and taken apart here and nowhere else."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal, NamedTuple, TypeAlias, get_args

from agentopic.errors import ConfigError

MAX_NAME_LENGTH: Final = 249
"""Characters of a Kafka topic name, at most."""

TopicKind: TypeAlias = Literal["topic", "agent", "control", "team", "replies", "dead", "stream", "runs"]
"""What a Kafka topic holds; the second part of its name."""

_SINGLE: Final = frozenset({"replies", "stream", "runs"})  # one per namespace, no third part
_KINDS: Final[dict[str, TopicKind]] = {kind: kind for kind in get_args(TopicKind)}
_NAMESPACE: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._")
_ESCAPES: Final = {"-": "--", ":": "-c", "=": "-e"}
_OF_TEAM: Final = "team="
_CODE: Final = re.compile(r"[A-Za-z0-9._]|-[-ce]|-u([0-9a-f]{4})|-U([0-9a-f]{6})")
_UNESCAPES: Final = {code: char for char, code in _ESCAPES.items()}


class KafkaTopic(NamedTuple):
    """The parts of a Kafka topic name of ours."""

    namespace: str
    kind: TopicKind
    name: str
    """Topic type, agent type or team name; empty for the kinds that exist once per namespace."""


def encode_name(name: str) -> str:
    """Return `name` in the characters Kafka allows.

    ASCII letters, digits, `.` and `_` stay; `-`, `:` and `=` become `--`, `-c` and `-e`; any other character
    becomes `-u` and four or `-U` and six hexadecimal digits. No code begins another, so the encoding is
    reversible, and one name is a prefix of another exactly when its encoding is a prefix of the other's.
    """
    return "".join(char if char in _PLAIN else _ESCAPES.get(char) or _escape(char) for char in name)


def decode_name(encoded: str) -> str | None:
    """Return the name that `encode_name` turned into `encoded`, or None when it never writes such a text."""
    chars: list[str] = []
    position = 0
    while position < len(encoded):
        match = _CODE.match(encoded, position)
        if match is None:
            return None
        digits = match[1] or match[2]
        chars.append(_UNESCAPES.get(match[0], match[0]) if digits is None else _unescape(digits))
        position = match.end()
    name = "".join(chars)
    return name if encode_name(name) == encoded else None


@lru_cache(maxsize=1024)
def topic_events(ns: str, topic_type: str) -> str:
    """Name of the topic that holds the events of a topic type; key: topic source.

    Topic types `team=<team>:<whom>` share one topic per team, so that its internal traffic has one order.

    Raises:
        ConfigError: the namespace cannot be one, the type is empty, or the name is longer than Kafka allows.
    """
    if topic_type.startswith(_OF_TEAM):
        return team(ns, topic_type.removeprefix(_OF_TEAM).partition(":")[0])
    return _join(ns, "topic", topic_type)


def topic_events_pattern(ns: str, topic_type_prefix: str) -> str:
    """Regular expression that matches the whole names of all topics whose topic type begins with the prefix.

    Raises:
        ConfigError: the namespace cannot be one.
    """
    return f"^{re.escape(f'{_checked(ns)}.topic.{encode_name(topic_type_prefix)}')}.*$"


def agent_requests(ns: str, agent_type: str) -> str:
    """Name of the topic that holds requests to an agent type and its redriven dead letters; key: agent key.

    Raises:
        ConfigError: as `topic_events`.
    """
    return _join(ns, "agent", agent_type)


def control(ns: str, agent_type: str) -> str:
    """Name of the topic that holds cancel, pause, resume and answer for an agent type; key: agent key.

    Raises:
        ConfigError: as `topic_events`.
    """
    return _join(ns, "control", agent_type)


def team(ns: str, team_name: str) -> str:
    """Name of the topic that holds the internal traffic of a deployed team; key: conversation.

    Raises:
        ConfigError: as `topic_events`.
    """
    return _join(ns, "team", team_name)


def replies(ns: str) -> str:
    """Name of the topic that holds replies, faults and wakes; partitions are addressed explicitly.

    Raises:
        ConfigError: the namespace cannot be one.
    """
    return f"{_checked(ns)}.replies"


def dead_letters(ns: str, agent_type: str) -> str:
    """Name of the topic that holds the dead letters of an agent type; key: the original one.

    Raises:
        ConfigError: as `topic_events`.
    """
    return _join(ns, "dead", agent_type)


def stream(ns: str) -> str:
    """Name of the topic that holds previews; key: run.

    Raises:
        ConfigError: the namespace cannot be one.
    """
    return f"{_checked(ns)}.stream"


def runs(ns: str) -> str:
    """Name of the topic that holds facts about runs; key: run.

    Raises:
        ConfigError: the namespace cannot be one.
    """
    return f"{_checked(ns)}.runs"


def consumer_group(ns: str, agent_type: str) -> str:
    """Name of the consumer group under which an agent type's offsets are committed.

    Raises:
        ConfigError: as `topic_events`.
    """
    return _limited(f"{_checked(ns)}.{_encoded(agent_type)}", agent_type)


@lru_cache(maxsize=1024)
def parse_topic(kafka_topic: str) -> KafkaTopic | None:
    """Return the parts of a topic name that a function of this module built, or None for any other name."""
    ns, _, rest = kafka_topic.partition(".")
    word, dot, encoded = rest.partition(".")
    kind = _KINDS.get(word)
    if _NAMESPACE.fullmatch(ns) is None or kind is None or bool(dot) == (kind in _SINGLE):
        return None
    name = decode_name(encoded)
    if name is None or bool(name) == (kind in _SINGLE):
        return None
    return KafkaTopic(ns, kind, name)


def parse_consumer_group(group: str) -> tuple[str, str] | None:
    """Return namespace and agent type of a group that `consumer_group` named, or None for any other name."""
    ns, _, encoded = group.partition(".")
    name = decode_name(encoded)
    return (ns, name) if name and _NAMESPACE.fullmatch(ns) else None


def clash(kafka_topic: str, other: str) -> bool:
    """Tell whether the broker refuses to have both topics: it treats `.` and `_` as the same character."""
    return kafka_topic != other and kafka_topic.replace(".", "_") == other.replace(".", "_")


def _join(ns: str, kind: TopicKind, name: str) -> str:
    return _limited(f"{_checked(ns)}.{kind}.{_encoded(name)}", name)


def _checked(ns: str) -> str:
    if _NAMESPACE.fullmatch(ns) is None:
        raise ConfigError(
            f"namespace {ns!r} cannot be used in topic names: use 1 to 64 ASCII letters, digits, '-' or '_'"
        )
    return ns


def _encoded(name: str) -> str:
    if not name:
        raise ConfigError("an empty name cannot be used in a topic name: give the topic, agent or team a name")
    return encode_name(name)


def _limited(full: str, name: str) -> str:
    if len(full) > MAX_NAME_LENGTH:
        raise ConfigError(
            f"the name of {name[:64]!r} makes {len(full)} characters in Kafka, of {MAX_NAME_LENGTH} at most:"
            " use a shorter one (characters other than letters, digits, '.' and '_' take 2 to 8 each)"
        )
    return full


def _escape(char: str) -> str:
    point = ord(char)
    return f"-u{point:04x}" if point <= 0xFFFF else f"-U{point:06x}"


def _unescape(digits: str) -> str:
    point = int(digits, 16)
    # Beyond Unicode no character exists; the caller's comparison then fails.
    return chr(point) if point <= 0x10FFFF else ""

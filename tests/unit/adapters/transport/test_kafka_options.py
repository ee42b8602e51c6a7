from __future__ import annotations

import pytest

from agentopic.adapters.transport.kafka_client import new_producer
from agentopic.adapters.transport.kafka_options import KafkaOptions
from agentopic.adapters.transport.kafka_producer import Producers
from agentopic.errors import MissingExtraError

_OPTIONS = KafkaOptions(bootstrap="a:1, b:2")


def test_p1_every_in_sync_replica_acknowledges() -> None:
    assert _OPTIONS.producer_arguments()["acks"] == "all"


def test_p2_producer_is_not_idempotent() -> None:
    assert _OPTIONS.producer_arguments()["enable_idempotence"] is False


def test_p10_client_never_refuses_what_the_size_check_let_through() -> None:
    options = KafkaOptions(bootstrap="a:1", max_record_bytes=7_000_000)

    assert options.producer_arguments()["max_request_size"] == 7_000_000


def test_a1_consumer_commits_nothing_and_resets_nothing_by_itself() -> None:
    arguments = _OPTIONS.consumer_arguments()

    assert arguments["enable_auto_commit"] is False
    assert arguments["auto_offset_reset"] == "none"


def test_a4_consumer_belongs_to_no_group() -> None:
    assert _OPTIONS.consumer_arguments()["group_id"] is None


def test_a16_nothing_is_deserialized_by_the_client() -> None:
    assert not [name for name in _OPTIONS.consumer_arguments() if "deserializer" in name]


def test_several_addresses_are_all_given_to_the_client() -> None:
    assert _OPTIONS.client_arguments()["bootstrap_servers"] == ["a:1", "b:2"]


async def test_p9_missing_compression_package_is_named_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aiokafka.codec.cramjam", None)
    with pytest.raises(MissingExtraError, match=r"agentopic\[kafka\]"):
        new_producer(_OPTIONS)

    with pytest.raises(MissingExtraError):
        await Producers(_OPTIONS).start()

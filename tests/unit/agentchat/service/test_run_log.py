from __future__ import annotations

import json

from agentopic.agentchat.messages import TextMessage, ThoughtEvent
from agentopic.agentchat.service._payloads import RunEnd
from agentopic.agentchat.service._run_log import RunLog


def filled() -> tuple[RunLog, list[TextMessage]]:
    log, said = RunLog(), [TextMessage(content=str(number), source="a") for number in range(3)]
    log.begin(2, "monday", "event-1")
    for message in said:
        log.add(message)
    return log, said


def test_items_are_numbered_in_each_run_and_the_end_has_their_count() -> None:
    log, _ = filled()

    end = log.close(RunEnd(outcome="done", stop_reason="enough"))

    assert [item.number for item in log.read(0, 10)] == [0, 1, 2, 3]
    assert end.number == 3
    assert log.read(0, 10)[-1].end == end.end


def test_a_part_is_read_and_the_end_only_behind_the_last_item() -> None:
    log, _ = filled()
    log.close(RunEnd(outcome="done"))

    assert [item.number for item in log.read(1, 1)] == [1]
    assert [item.number for item in log.read(2, 5)] == [2, 3]
    assert [item.number for item in log.read(1 << 60, 5)] == [3]


def test_what_the_thread_holds_is_saved_by_its_id_alone_and_comes_back_whole() -> None:
    log, said = filled()
    log.add(ThoughtEvent(content="hm", source="a"))
    thread = [message.dump() for message in said]

    saved = json.loads(json.dumps(log.dump(thread)))
    again = RunLog()
    again.load(saved, thread)

    assert saved["items"][:3] == [message.id for message in said]
    assert (again.run, again.name, again.cause, again.end) == (2, "monday", "event-1", None)
    assert [item.message.dump() for item in again.read(0, 9) if item.message] == [
        item.message.dump() for item in log.read(0, 9) if item.message
    ]

"""Step decisions: what a person is asked when only a person can know (unknown outcomes, divergence)."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, TypeVar, cast

from agentopic.core._turn import StepSpec, step_path
from agentopic.engine.step_records import failure_record, value_record
from agentopic.errors import DivergedError, StepFailedError, StepOutcomeUnknownError

if TYPE_CHECKING:
    from agentopic.engine.steps import Steps
    from agentopic.engine.turn import Turn

T = TypeVar("T")

LOOK_SECONDS = 0.02
QUIET_SECONDS = 0.25
"""How long parallel branches have, with no call running, to reach the steps they have recorded."""


async def settle_unknown(turn: Turn, steps: Steps, spec: StepSpec[Any], key: bytes) -> bytes | None:
    """Return what is stored for a call that was open when its process died; None: make it again.

    Raises:
        StepOutcomeUnknownError: the rule is `tell`.
    """
    match spec.on_unknown or steps.tools.on_unknown:
        case "retry":
            steps.log.count(spec.kind).unknown += 1
            return None
        case "ask":
            return await _ask_what_happened(turn, steps, spec, key)
        case "tell":
            raise StepOutcomeUnknownError(
                f"{spec.kind} {spec.name!r} was being called when an earlier attempt died:"
                " whether it took effect is unknown"
            )


async def _ask_what_happened(turn: Turn, steps: Steps, spec: StepSpec[Any], key: bytes) -> bytes | None:
    with step_path(f"unknown/{key.hex()}"):
        answer = await turn.ask(
            f"{spec.kind} {spec.name!r} was being called when its process died. What happened?",
            choices=["done: <result>", "again", "failed"],
            details={"kind": spec.kind, "name": spec.name, "idempotency_key": key.hex()},
        )
    now = steps.tools.clock.now()
    if answer == "again":
        steps.log.count(spec.kind).unknown += 1
        return None
    if answer == "failed":
        failed = StepFailedError(f"{spec.kind} {spec.name!r} failed, as a person found out", "StepFailedError")
        return await steps.log.close(key, failure_record(failed, now))
    result = _told_result(answer)
    payload = json.dumps(result).encode() if spec.told is None else spec.told(result)
    return await steps.log.close(key, value_record(payload, now))


def _told_result(answer: Any) -> Any:
    """Return the result in `{"done": result}` or `done: result`; any other answer is the result itself."""
    if isinstance(answer, dict):
        return cast("dict[str, Any]", answer).get("done", cast("Any", answer))
    if not isinstance(answer, str):
        return answer
    text = answer.removeprefix("done").removeprefix(":").strip() if answer.startswith("done") else answer
    try:
        return json.loads(text) if text else None
    except json.JSONDecodeError:
        return text


async def allow_divergence(turn: Turn, steps: Steps, spec: StepSpec[Any]) -> None:
    """Return when an unrepeatable call may be made anew.

    It may at once, unless an earlier attempt recorded a call of the same kind and name that this one has not asked
    for: the code or prompt has changed since. Other branches get time to ask for it; then a person decides.

    Raises:
        DivergedError: a person said to give up.
    """
    if not steps.log.unused(spec) or await _is_asked_for(steps, spec):
        return
    with step_path("divergence"):
        answer = await turn.ask(
            f"{spec.kind} {spec.name!r} was called before with another input, and the code or prompt has changed"
            " since. Call it again?",
            choices=["go on", "give up"],
            details={"kind": spec.kind, "name": spec.name, "recorded": len(steps.log.unused(spec))},
        )
    if answer != "go on":
        raise DivergedError(f"{spec.kind} {spec.name!r} would be called twice with different inputs; given up")


async def _is_asked_for(steps: Steps, spec: StepSpec[Any]) -> bool:
    loop = asyncio.get_running_loop()
    quiet_since = loop.time()
    while loop.time() - quiet_since < QUIET_SECONDS:
        await asyncio.sleep(LOOK_SECONDS)
        if not steps.log.unused(spec):
            return True
        if steps.attempt.suspension.is_working:
            quiet_since = loop.time()
    return False

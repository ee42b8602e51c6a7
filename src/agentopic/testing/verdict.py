"""What a history proves: what was lost, done twice, out of order, paid again or left without its one end."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from agentopic.testing.history import Fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The figures of one run; `holds` says whether the promise was kept and really put to the test."""

    name: str
    operations: int
    faults: int
    hits: int
    """Faults that hit work in flight: a run with faults and without hits proves nothing."""
    lost: tuple[str, ...] = ()
    """Accepted, and neither answered nor dead nor cancelled."""
    duplicated: tuple[str, ...] = ()
    """With more than one effect: outputs of different ids or contents for one input."""
    disordered: tuple[str, ...] = ()
    """Agents whose outputs do not follow the order in which their inputs were accepted."""
    overlapping: tuple[str, ...] = ()
    """Agents with two turns at the same time, neither of them in a process that a fault had hit."""
    repaid: int = 0
    """Calls begun again."""
    overpaid: tuple[str, ...] = ()
    """Calls begun more often than faults that found them open can explain."""
    unanswered: tuple[str, ...] = ()
    """Requests without an end."""
    overanswered: tuple[str, ...] = ()
    """Requests with more than one end."""
    dead: int = 0
    repeated: int = 0
    """Outputs published more than once under the same id: what receivers drop."""

    @property
    def broken(self) -> dict[str, tuple[str, ...]]:
        """The promises that were not kept, by name."""
        names = ("lost", "duplicated", "disordered", "overlapping", "overpaid", "unanswered", "overanswered")
        return {name: value for name in names if (value := getattr(self, name))}

    @property
    def vacuous(self) -> bool:
        """Whether faults were meant to hit work and none did."""
        return self.faults > 0 and self.hits == 0

    @property
    def holds(self) -> bool:
        """Whether nothing was broken and the run put that to the test."""
        return not self.broken and not self.vacuous

    def line(self) -> str:
        """Return one line for people."""
        state = f"BROKEN {self.broken}" if self.broken else "VACUOUS" if self.vacuous else "holds"
        return (
            f"{self.name}: {self.operations} operations, {self.faults} faults, {self.hits} hit work in flight;"
            f" lost {len(self.lost)}, duplicated {len(self.duplicated)}, out of order {len(self.disordered)},"
            f" paid again {self.repaid}, dead {self.dead}, repeated on the wire {self.repeated}: {state}"
        )

    def json(self) -> str:
        """Return the figures as one JSON line."""
        return json.dumps({**asdict(self), "holds": self.holds})


def judge(name: str, facts: Sequence[Fact], *, ordered: bool = True) -> Verdict:
    """Judge a history after its final drain.

    Outputs are noted in the order of their log. Each carries `turn`, its agent's own count of its turns: those of one
    agent must rise by one. `ordered` asks besides that they follow the order in which its inputs were published.
    """
    accepted = [each.subject for each in facts if each.operation == "publish" and each.phase == "ok"]
    outputs = _of(facts, "output", "ok")
    dead = {each.subject for each in _of(facts, "dead", "ok")}
    ended = {each.subject for each in outputs} | dead | {each.subject for each in _of(facts, "cancel", "ok")}
    faults = [each for each in facts if each.operation == "fault"]
    begun = Counter(each.subject for each in _of(facts, "call", "invoke"))
    open_at_fault = _open_at_fault(facts)
    return Verdict(
        name=name,
        operations=sum(each.phase == "invoke" for each in facts),
        faults=len(faults),
        hits=sum(bool(each.detail.get("hit")) for each in faults),
        lost=tuple(each for each in dict.fromkeys(accepted) if each not in ended),
        duplicated=_duplicated(outputs),
        disordered=_disordered(facts if ordered else (), outputs),
        overlapping=_overlapping(facts),
        repaid=sum(times - 1 for times in begun.values()),
        overpaid=tuple(each for each, times in begun.items() if times - 1 > open_at_fault[each]),
        unanswered=_ends(facts, lambda ends: ends == 0),
        overanswered=_ends(facts, lambda ends: ends > 1),
        dead=len(dead),
        repeated=len(outputs) - len({(each.key, each.id) for each in outputs}),
    )


def _of(facts: Sequence[Fact], operation: str, phase: str) -> list[Fact]:
    return [each for each in facts if each.operation == operation and each.phase == phase]


def _duplicated(outputs: Sequence[Fact]) -> tuple[str, ...]:
    effects: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    for each in outputs:
        effects[each.subject].add((each.id, json.dumps(each.detail, sort_keys=True)))
    return tuple(subject for subject, different in effects.items() if len(different) > 1)


def _disordered(facts: Sequence[Fact], outputs: Sequence[Fact]) -> tuple[str, ...]:
    place = {each.subject: index for index, each in enumerate(_of(facts, "publish", "invoke"))}
    by_agent: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for each in outputs:
        by_agent[each.key].setdefault(each.subject, each.detail.get("turn", 0))
    return tuple(agent for agent, turns in by_agent.items() if not _in_order(turns, place))


def _in_order(turns: dict[str, int], place: dict[str, int]) -> bool:
    """Whether turns were published one after the other, and follow the order of what they answer."""
    inputs = [place[subject] for subject in turns if subject in place]
    return inputs == sorted(inputs) and list(turns.values()) == list(range(1, len(turns) + 1))


def _overlapping(facts: Sequence[Fact]) -> tuple[str, ...]:
    running: dict[str, Fact] = {}
    hit: set[str] = set()
    found: dict[str, None] = {}
    for fact in facts:
        if fact.operation == "fault":
            hit.add(fact.process)
        elif fact.operation == "turn" and fact.phase == "invoke":
            other = running.get(fact.key)
            if other is not None and not hit & {other.process, fact.process}:
                found[fact.key] = None
            running[fact.key] = fact
        elif fact.operation == "turn" and _is_same_turn(running.get(fact.key), fact):
            del running[fact.key]
    return tuple(found)


def _is_same_turn(began: Fact | None, ended: Fact) -> bool:
    return began is not None and (began.process, began.subject) == (ended.process, ended.subject)


def _open_at_fault(facts: Sequence[Fact]) -> Counter[str]:
    """How often each call was open in a process, or about to be made there, when a fault hit that process."""
    found: Counter[str] = Counter()
    open_calls: defaultdict[str, set[str]] = defaultdict(set)
    for fact in facts:
        if fact.operation == "call":
            calls = open_calls[fact.process]
            (calls.discard if fact.phase in {"ok", "fail"} else calls.add)(fact.subject)
        elif fact.operation == "fault":
            found.update(open_calls.pop(fact.process, ()))
    return found


def _ends(facts: Sequence[Fact], wrong: Callable[[int], bool]) -> tuple[str, ...]:
    asked = [each.subject for each in _of(facts, "request", "invoke")]
    ends = Counter(each.subject for each in facts if each.operation == "request" and each.phase in {"ok", "fail"})
    gone = {each.subject for each in _of(facts, "request", "unknown")}
    return tuple(each for each in dict.fromkeys(asked) if each not in gone and wrong(ends[each]))

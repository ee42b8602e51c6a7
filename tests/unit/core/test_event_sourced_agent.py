"""Event-sourced agents: what they record, fold, up-cast and refuse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel

from agentopic.core import (
    AgentId,
    EventSourcedAgent,
    MessageContext,
    SingleThreadedAgentRuntime,
    fold,
    message_handler,
    payload,
    upcast,
)
from agentopic.errors import PayloadError, RegistrationError, RuntimeStateError, StateVersionError


@payload("bank.Deposited.v2")
@dataclass(frozen=True)
class Deposited:
    amount: int
    currency: str


@payload("bank.Closed.v1")
class Closed(BaseModel):
    reason: str


@dataclass
class Balance:
    total: int = 0
    currencies: list[str] = field(default_factory=list[str])
    closed: bool = False


@payload("bank.Deposit.v1")
class Deposit(BaseModel):
    amount: int


class Account(EventSourcedAgent[Balance]):
    def __init__(self) -> None:
        super().__init__("keeps money", Balance())

    @message_handler
    async def on_deposit(self, message: Deposit, ctx: MessageContext) -> int:
        self.record(Deposited(message.amount, "EUR"))
        return self.state.total

    @fold
    def deposited(self, event: Deposited) -> None:
        if event.amount < 0:
            raise ValueError("a deposit cannot be negative")
        self.state.total += event.amount
        self.state.currencies.append(event.currency)

    @fold
    def closed(self, event: Closed) -> None:
        self.state.closed = True

    @upcast("bank.Paid.v1", "bank.Deposited.v1")
    @staticmethod
    def renamed(fields: Any) -> Any:
        return {"amount": fields["sum"]}

    @upcast("bank.Deposited.v1", "bank.Deposited.v2")
    @staticmethod
    def with_currency(fields: Any) -> Any:
        return {**fields, "currency": "DEM"}


class Ledger(EventSourcedAgent[Balance]):
    def __init__(self) -> None:
        super().__init__("folds several kinds in one place", Balance())

    @fold
    def any_of_both(self, event: Deposited | Closed) -> None:
        self.state.currencies.append(type(event).__name__)


def test_a_recorded_event_is_applied_at_once():
    account = Account()

    account.record(Deposited(3, "EUR"))
    account.record(Closed(reason="moved"))

    assert account.state == Balance(total=3, currencies=["EUR"], closed=True)


def test_recorded_events_replayed_on_a_fresh_agent_lead_to_the_same_state():
    account, again = Account(), Account()
    account.begin_recording()
    account.record(Deposited(3, "EUR"))
    account.record(Closed(reason="moved"))

    again.replay(account.end_recording())

    assert again.state == account.state


def test_events_are_stored_under_their_declared_names():
    account = Account()
    account.begin_recording()

    account.record(Deposited(3, "EUR"))

    assert account.end_recording() == (b'bank.Deposited.v2\n{"amount":3,"currency":"EUR"}',)


def test_one_fold_may_take_several_kinds_of_events():
    ledger = Ledger()

    ledger.record(Deposited(1, "EUR"))
    ledger.record(Closed(reason=""))

    assert ledger.state.currencies == ["Deposited", "Closed"]


def test_old_events_are_up_cast_step_by_step():
    account = Account()

    account.replay([b'bank.Paid.v1\n{"sum":5}', b'bank.Deposited.v1\n{"amount":2}'])

    assert account.state == Balance(total=7, currencies=["DEM", "DEM"])


def test_an_event_of_newer_code_is_told_apart_from_a_broken_one():
    with pytest.raises(StateVersionError, match=r"bank\.Deposited\.v3"):
        Account().replay([b'bank.Deposited.v3\n{"amount":1}'])
    with pytest.raises(PayloadError, match="amount"):
        Account().replay([b'bank.Deposited.v2\n{"amount":"much","currency":"EUR"}'])


def test_after_a_failed_fold_nothing_of_the_turn_can_be_kept_even_if_the_handler_went_on():
    account = Account()
    account.begin_recording()

    with pytest.raises(ValueError, match="negative"):
        account.record(Deposited(-1, "EUR"))

    with pytest.raises(RuntimeStateError):
        account.end_recording()


def test_an_event_nobody_folds_is_refused():
    with pytest.raises(RegistrationError, match="no @fold method for Balance"):
        Account().record(Balance())


def test_an_event_class_without_a_declared_name_is_refused():
    @dataclass
    class Nameless:
        pass

    class Sloppy(EventSourcedAgent[Balance]):
        def take(self, event: Any) -> None: ...

    Sloppy.take.__annotations__["event"] = Nameless
    fold(Sloppy.take)

    with pytest.raises(RegistrationError, match="declared name"):
        Sloppy("careless", Balance())


def test_declarations_that_cannot_work_are_refused():
    async def late(self: Any, event: Deposited) -> None: ...
    def silent(self: Any, event) -> None: ...

    with pytest.raises(RegistrationError, match="async"):
        fold(late)  # pyright: ignore[reportArgumentType] - the mistake under test
    with pytest.raises(RegistrationError, match="annotation"):
        fold(silent)
    with pytest.raises(RegistrationError, match="itself"):
        upcast("bank.Closed.v1", "bank.Closed.v1")


def test_two_folds_of_one_event_are_refused():
    class Torn(Account):
        @fold
        def second(self, event: Deposited) -> None: ...

    with pytest.raises(RegistrationError, match="two @fold methods"):
        Torn()


async def test_the_agent_works_on_the_in_process_runtime_and_its_state_moves_with_the_runtimes():
    async def runtime() -> SingleThreadedAgentRuntime:
        made = SingleThreadedAgentRuntime()
        await Account.register(made, "account", Account)
        made.start()
        return made

    first, second = await runtime(), await runtime()
    account = AgentId("account", "k")

    await first.send_message(Deposit(amount=3), account)
    await second.load_state(await first.save_state())
    total = await second.send_message(Deposit(amount=4), account)

    assert total == 7
    for each in (first, second):
        await each.stop_when_idle()


async def test_a_state_that_does_not_fit_its_class_is_refused():
    with pytest.raises(PayloadError, match="Balance"):
        await Account().load_state({"total": "much"})

"""Small scenarios of the actor API, run against one package: `python autogen_scenarios.py <package>` prints JSON."""

# The package is known at run time only, so its names cannot be used as types here.
# pyright: reportInvalidTypeForm=false, reportReturnType=false

import asyncio
import importlib
import json
import logging
import sys
import warnings
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

core: Any = importlib.import_module(sys.argv[1])
exceptions: Any = importlib.import_module(f"{sys.argv[1]}.exceptions")
logging.getLogger(core.ROOT_LOGGER_NAME).setLevel(logging.CRITICAL)

KINDS = [
    *(
        (name, getattr(exceptions, name))
        for name in ("CantHandleException", "UndeliverableException", "MessageDroppedException", "NotAccessibleError")
    ),
    *(
        (c.__name__, c)
        for c in (
            asyncio.CancelledError,
            asyncio.TimeoutError,
            RuntimeError,
            KeyError,
            AttributeError,
            LookupError,
            TypeError,
            ValueError,
        )
    ),
]


@dataclass
class Ask:
    text: str


@dataclass
class Reply:
    text: str


class Model(BaseModel):
    name: str
    tags: list[str] = []


SCENARIOS: dict[str, Any] = {}


def scenario(function: Any) -> Any:
    SCENARIOS[function.__name__] = function
    return function


def kind(error: BaseException) -> str:
    return next((name for name, cls in KINDS if isinstance(error, cls)), "Exception")


async def outcome(awaitable: Any) -> Any:
    try:
        result = await asyncio.wait_for(awaitable, 1.0)
    except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
        return f"raises {kind(error)}"
    return repr(result)


def call(function: Any) -> str:
    try:
        return repr(function())
    except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
        return f"raises {kind(error)}"


def subscription(sub: Any) -> list[str]:
    topic = getattr(sub, "topic_type", None) or getattr(sub, "topic_type_prefix", None)
    return [type(sub).__name__, topic, sub.agent_type]


class Recording(core.SingleThreadedAgentRuntime):
    """Remembers the subscriptions that registrations add."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.added: list[Any] = []

    async def add_subscription(self, subscription: Any) -> None:
        await super().add_subscription(subscription)
        self.added.append(subscription)


class Talker(core.RoutedAgent):
    """Answers, listens and remembers."""

    def __init__(self, log: Any = None) -> None:
        super().__init__("a talker")
        self.log = [] if log is None else log

    @core.message_handler
    async def on_ask(self, message: Ask, ctx: core.MessageContext) -> Reply:
        self.log.append(["ask", message.text, str(self.id), str(ctx.topic_id), ctx.is_rpc, str(ctx.sender)])
        if message.text == "fail":
            raise KeyError(message.text)
        return Reply(message.text.upper())

    async def save_state(self) -> Any:
        return {"log": list(self.log)}

    async def load_state(self, state: Any) -> None:
        self.log = list(state["log"])


async def with_talker(**options: Any) -> Any:
    log: list[Any] = []
    runtime = Recording(**options)
    await Talker.register(runtime, "talker", lambda: Talker(log))
    await runtime.add_subscription(core.TypeSubscription("news", "talker"))
    return runtime, log


@scenario
async def ids() -> Any:
    made = core.AgentId("a", "b")
    return [
        str(made),
        repr(made),
        made == core.AgentId("a", "b"),
        made != core.AgentId("a", "c"),
        hash(made) == hash(core.AgentId("a", "b")),
        made == "a/b",
        call(lambda: core.AgentId.from_str("a/b/c").key),
        call(lambda: core.AgentId.from_str("ab")),
        call(lambda: core.AgentId(core.AgentType("x.y-z_1"), "").type),
        *(call(lambda name=name: core.AgentId(name, "k").type) for name in ("a b", "a/b", "a:b", "", "é", "a\n", "9")),
    ]


@scenario
async def topics() -> Any:
    made = core.TopicId("a", "b")
    return [
        str(made),
        repr(made),
        made == core.TopicId("a", "b"),
        hash(made) == hash(core.TopicId("a", "b")),
        call(lambda: core.TopicId.from_str("a/b/c").source),
        call(lambda: core.TopicId.from_str("ab")),
        str(core.DefaultTopicId()),
        str(core.DefaultTopicId("t")),
        str(core.DefaultTopicId(source="s")),
        *(call(lambda name=name: core.TopicId(name, "k").type) for name in ("a b", "a/b", "a:b=c", "", "é", "a\n")),
    ]


@scenario
async def default_topic_equality() -> Any:
    return core.DefaultTopicId("a", "b") == core.TopicId("a", "b")


@scenario
async def subscriptions() -> Any:
    exact = core.TypeSubscription("t", "a", id="1")
    prefix = core.TypePrefixSubscription("t", "a", id="1")
    topic = core.TopicId
    return [
        exact.id,
        exact.is_match(topic("t", "s")),
        exact.is_match(topic("tt", "s")),
        prefix.is_match(topic("tt", "s")),
        prefix.is_match(topic("u", "s")),
        str(exact.map_to_agent(topic("t", "s"))),
        str(prefix.map_to_agent(topic("tx", "s"))),
        call(lambda: exact.map_to_agent(topic("u", "s"))),
        call(lambda: prefix.map_to_agent(topic("u", "s"))),
        exact == core.TypeSubscription("t", "a"),
        exact == core.TypeSubscription("u", "a", id="1"),
        exact == core.TypeSubscription("u", "a"),
        exact == prefix,
        exact == 3,
        prefix == core.TypePrefixSubscription("t", "a"),
        call(core.DefaultSubscription),
        subscription(core.DefaultSubscription(agent_type="x")),
        isinstance(core.DefaultSubscription("q", "x"), core.TypeSubscription),
    ]


@scenario
async def class_subscriptions() -> Any:
    @core.default_subscription
    class One(Talker):
        pass

    @core.default_subscription()
    @core.type_subscription("extra")
    class Two(Talker):
        pass

    class Three(One):
        pass

    runtime = Recording()
    for cls in (One, Two, Three):
        await cls.register(runtime, cls.__name__, cls)
    await One.register(runtime, "bare", One, skip_class_subscriptions=True, skip_direct_message_subscription=True)
    return [subscription(sub) for sub in runtime.added]


@scenario
async def instance_subscriptions() -> Any:
    @core.default_subscription
    class One(Talker):
        pass

    runtime = Recording()
    await One().register_instance(runtime, core.AgentId("one", "k"))
    await One().register_instance(runtime, core.AgentId("one", "l"), skip_class_subscriptions=False)
    return [subscription(sub) for sub in runtime.added]


@scenario
async def registration_errors() -> Any:
    class Other(Talker):
        pass

    runtime = Recording()
    await Talker.register(runtime, "f", Talker)
    await Talker().register_instance(runtime, core.AgentId("i", "k"))
    agent = Talker()
    await agent.register_instance(runtime, core.AgentId("i", "m"))
    return [
        await outcome(runtime.register_factory("f", Talker)),
        await outcome(runtime.register_factory("i", Talker)),
        await outcome(runtime.register_agent_instance(Talker(), core.AgentId("f", "x"))),
        await outcome(runtime.register_agent_instance(Talker(), core.AgentId("i", "k"))),
        await outcome(runtime.register_agent_instance(Other(), core.AgentId("i", "l"))),
        await outcome(runtime.register_agent_instance(agent, core.AgentId("i", "n"))),
        await outcome(runtime.add_subscription(core.TypeSubscription("k", "i"))),
        await outcome(runtime.remove_subscription("none")),
        await outcome(runtime.get(core.AgentId("i", "zz"), lazy=False)),
        await outcome(runtime.get("zz", lazy=False)),
        await outcome(runtime.get("zz")),
        await outcome(runtime.try_get_underlying_agent_instance(core.AgentId("i", "k"), Other)),
        await outcome(runtime.try_get_underlying_agent_instance(core.AgentId("zz", "k"))),
        await outcome(runtime.register_factory("wrong", Talker, expected_class=Other)),
        await outcome(runtime.get("wrong", lazy=False)),
        call(lambda: core.BaseAgent("x")),
        call(core.AgentInstantiationContext.current_agent_id),
        call(core.MessageHandlerContext.agent_id),
        call(core.SubscriptionInstantiationContext.agent_type),
        core.AgentInstantiationContext.is_in_factory_call(),
        call(core.AgentInstantiationContext),
        call(core.MessageHandlerContext),
    ]


@scenario
async def direct_messages() -> Any:
    runtime, log = await with_talker()
    runtime.start()
    target = core.AgentId("talker", "k")
    results = [
        await outcome(runtime.send_message(Ask("hi"), target)),
        await outcome(runtime.send_message(Ask("hi"), target, sender=core.AgentId("talker", "t"))),
        await outcome(runtime.send_message(Ask("fail"), target)),
        await outcome(runtime.send_message(Model(name="x"), target)),
    ]
    proxy = core.AgentProxy(target, runtime)
    results += [await outcome(proxy.send_message(Ask("p"), sender=target)), await proxy.metadata]
    results += [await outcome(proxy.save_state()), str(proxy.id)]
    await runtime.stop_when_idle()
    return [results, log]


@scenario
async def send_to_unknown_type() -> Any:
    runtime, _ = await with_talker()
    runtime.start()
    return await outcome(runtime.send_message(Ask("hi"), core.AgentId("nobody", "k")))


@scenario
async def send_from_an_unregistered_sender() -> Any:
    runtime, _ = await with_talker()
    runtime.start()
    return await outcome(
        runtime.send_message(Ask("hi"), core.AgentId("talker", "k"), sender=core.AgentId("outside", "k"))
    )


@scenario
async def published_messages() -> Any:
    runtime, log = await with_talker()
    await runtime.add_subscription(core.TypePrefixSubscription("late", "talker"))
    runtime.start()
    for topic in ("news/a", "news/b", "talker:x/c", "late.news/d", "other/e"):
        await runtime.publish_message(Ask(topic), core.TopicId.from_str(topic))
    await runtime.publish_message(Ask("own"), core.TopicId("news", "a"), sender=core.AgentId("talker", "a"))
    await runtime.publish_message(Ask("other"), core.TopicId("news", "a"), sender=core.AgentId("talker", "b"))
    await runtime.publish_message(Ask("fail"), core.TopicId("news", "a"))
    await runtime.stop_when_idle()
    return log


@scenario
async def two_subscriptions_to_one_agent() -> Any:
    runtime, log = await with_talker()
    await runtime.add_subscription(core.TypePrefixSubscription("new", "talker"))
    runtime.start()
    await runtime.publish_message(Ask("x"), core.TopicId("news", "a"))
    await runtime.stop_when_idle()
    return len(log)


@scenario
async def order_of_handlers() -> Any:
    log: list[str] = []

    class Slow(core.RoutedAgent):
        @core.event
        async def on_ask(self, message: Ask, ctx: core.MessageContext) -> None:
            log.append(f"{self.id} begins {message.text}")
            await asyncio.sleep(0)
            log.append(f"{self.id} ends {message.text}")
            if message.text == "1":
                await self.publish_message(Ask("again"), core.DefaultTopicId())

    runtime = core.SingleThreadedAgentRuntime()
    for name in ("a", "b"):
        await Slow.register(runtime, name, lambda: Slow("slow"))
        await runtime.add_subscription(core.DefaultSubscription(agent_type=name))
    for text in "123":
        await runtime.publish_message(Ask(text), core.DefaultTopicId())
    waiting = runtime.unprocessed_messages_count
    runtime.start()
    await runtime.stop_when_idle()
    return [waiting, [line for line in log if line.startswith("a")], [line for line in log if line.startswith("b")]]


@scenario
async def an_async_factory_keeps_the_order() -> Any:
    log: list[Any] = []

    async def factory() -> Any:
        for _ in range(3):
            await asyncio.sleep(0)
        return Talker(log)

    runtime = core.SingleThreadedAgentRuntime()
    await Talker.register(runtime, "talker", factory)
    runtime.start()
    target = core.AgentId("talker", "k")
    await asyncio.gather(*(runtime.send_message(Ask(str(n)), target) for n in range(2)))
    await runtime.stop_when_idle()
    return sorted(line[1] for line in log)


@scenario
async def routing() -> Any:
    log: list[str] = []

    class Router(core.RoutedAgent):
        @core.message_handler(match=lambda message, ctx: message.text == "b")
        async def b_matched(self, message: Ask, ctx: core.MessageContext) -> None:
            log.append("b_matched")

        @core.message_handler
        async def c_general(self, message: Ask, ctx: core.MessageContext) -> None:
            log.append("c_general")

        @core.event
        async def d_event(self, message: Reply, ctx: core.MessageContext) -> None:
            log.append("d_event")

        @core.rpc
        async def e_rpc(self, message: Reply, ctx: core.MessageContext) -> int | str:
            log.append("e_rpc")
            return 1

        async def on_unhandled_message(self, message: Any, ctx: core.MessageContext) -> None:
            log.append(f"unhandled {type(message).__name__}")

    class Sub(Ask):
        pass

    runtime = core.SingleThreadedAgentRuntime()
    await Router.register(runtime, "router", lambda: Router("router"))
    await runtime.add_subscription(core.TypeSubscription("t", "router"))
    runtime.start()
    for message in (Ask("a"), Ask("b"), Reply("x"), Sub("a"), Model(name="m")):
        await outcome(runtime.send_message(message, core.AgentId("router", "k")))
        await runtime.publish_message(message, core.TopicId("t", "k"))
    await runtime.stop_when_idle()
    handler = Router.e_rpc
    return [
        log,
        [t.__name__ for t in handler.target_types],
        sorted(t.__name__ for t in handler.produces_types),
        [t.__name__ for t in Router.d_event.produces_types],
    ]


@scenario
async def strictness() -> Any:
    class Loose(core.RoutedAgent):
        @core.rpc
        async def strict(self, message: Ask, ctx: core.MessageContext) -> int:
            return "wrong"

        @core.rpc(strict=False)
        async def loose(self, message: Reply, ctx: core.MessageContext) -> int:
            return "wrong"

        @core.rpc
        async def anything(self, message: Model, ctx: core.MessageContext) -> Any:
            return {"any": "thing"}

    runtime = core.SingleThreadedAgentRuntime()
    await Loose.register(runtime, "loose", lambda: Loose("loose"))
    runtime.start()
    target = core.AgentId("loose", "k")
    agent = await runtime.try_get_underlying_agent_instance(target, Loose)
    ctx = core.MessageContext(None, None, True, core.CancellationToken(), "1")
    results = [await outcome(runtime.send_message(m, target)) for m in (Ask(""), Reply(""), Model(name="x"))]
    return [*results, await outcome(agent.strict(Reply(""), ctx)), await outcome(agent.loose(Ask(""), ctx))]


@scenario
async def a_handled_class_without_serializer() -> Any:
    class Plain(core.RoutedAgent):
        @core.message_handler
        async def on_text(self, message: str, ctx: core.MessageContext) -> None: ...

    return await outcome(Plain.register(core.SingleThreadedAgentRuntime(), "plain", lambda: Plain("p")))


@scenario
async def contexts() -> Any:
    seen: list[str] = []

    class Aware(core.RoutedAgent):
        def __init__(self) -> None:
            super().__init__("aware")
            seen.append(f"made {core.AgentInstantiationContext.current_agent_id()} as {self.id} type {self.type}")

        @core.event
        async def on_ask(self, message: Ask, ctx: core.MessageContext) -> None:
            await asyncio.sleep(0)
            seen.append(f"{core.MessageHandlerContext.agent_id()} {core.DefaultTopicId()} {message.text}")
            seen.append(f"{ctx.message_id} {ctx.topic_id} {ctx.sender} {ctx.is_rpc}")
            if message.text == "first":
                await self.publish_message(Ask("second"), core.TopicId("t", "other"))

    runtime = core.SingleThreadedAgentRuntime()
    await Aware.register(runtime, "aware", Aware)
    await runtime.add_subscription(core.TypeSubscription("t", "aware"))
    runtime.start()
    await runtime.publish_message(Ask("first"), core.TopicId("t", "k"), message_id="m1")
    await runtime.stop_when_idle()
    return [line for line in seen if line[8:9] != "-"]


@scenario
async def interventions() -> Any:
    seen: list[Any] = []

    class Watcher(core.DefaultInterventionHandler):
        async def on_send(self, message: Any, *, message_context: Any, recipient: Any) -> Any:
            seen.append(["send", message.text, str(recipient), message_context.is_rpc])
            if message.text == "drop":
                return core.DropMessage
            if message.text == "raise":
                raise KeyError("no")
            return Ask(message.text + "!")

        async def on_publish(self, message: Any, *, message_context: Any) -> Any:
            seen.append(["publish", message.text, str(message_context.topic_id)])
            return Ask("published")

        async def on_response(self, message: Any, *, sender: Any, recipient: Any) -> Any:
            seen.append(["response", message.text, str(sender), str(recipient)])
            if message.text == "HIDE!":
                return core.DropMessage()
            if message.text == "BREAK!":
                raise ValueError("no")
            return message

    runtime, log = await with_talker(intervention_handlers=[Watcher()])
    runtime.start()
    target = core.AgentId("talker", "k")
    results = [
        await outcome(runtime.send_message(Ask(t), target)) for t in ("hi", "drop", "raise", "hide", "break", "fail")
    ]
    await runtime.publish_message(Ask("x"), core.TopicId("news", "k"))
    await outcome(runtime.send_message(Ask("hi"), target))
    await runtime.stop()
    return [results, seen, log]


@scenario
async def two_intervention_handlers() -> Any:
    class Adding(core.DefaultInterventionHandler):
        async def on_send(self, message: Any, *, message_context: Any, recipient: Any) -> Any:
            return Ask(message.text + "!")

    runtime, _ = await with_talker(intervention_handlers=[Adding(), Adding()])
    runtime.start()
    return await outcome(runtime.send_message(Ask("hi"), core.AgentId("talker", "k")))


def dropping(error: Any) -> Any:
    class Dropper(core.DefaultInterventionHandler):
        async def on_publish(self, message: Any, *, message_context: Any) -> Any:
            if error:
                raise error
            return core.DropMessage

    return Dropper()


@scenario
async def idle_after_a_dropped_message() -> Any:
    runtime, log = await with_talker(intervention_handlers=[dropping(None)])
    runtime.start()
    await runtime.publish_message(Ask("x"), core.TopicId("news", "k"))
    return [await outcome(runtime.stop_when_idle()), log]


@scenario
async def idle_after_a_failed_intervention() -> Any:
    runtime, log = await with_talker(intervention_handlers=[dropping(KeyError("x"))])
    runtime.start()
    await runtime.publish_message(Ask("x"), core.TopicId("news", "k"))
    return [await outcome(runtime.stop_when_idle()), log]


@scenario
async def cancellation() -> Any:
    started = asyncio.Event()
    seen: list[Any] = []

    class Waiter(core.RoutedAgent):
        @core.message_handler
        async def on_ask(self, message: Ask, ctx: core.MessageContext) -> None:
            wait: Any = asyncio.get_running_loop().create_future()
            ctx.cancellation_token.link_future(wait)
            started.set()
            try:
                await wait
            finally:
                seen.append(ctx.cancellation_token.is_cancelled())

    runtime = core.SingleThreadedAgentRuntime()
    await Waiter.register(runtime, "waiter", lambda: Waiter("w"))
    runtime.start()
    token = core.CancellationToken()
    called: list[int] = []
    token.add_callback(lambda: called.append(1))
    sending = asyncio.ensure_future(
        runtime.send_message(Ask(""), core.AgentId("waiter", "k"), cancellation_token=token)
    )
    await started.wait()
    token.cancel()
    token.cancel()
    result = await outcome(sending)
    token.add_callback(lambda: called.append(2))
    late = asyncio.get_running_loop().create_future()
    same = token.link_future(late) is late
    await runtime.stop_when_idle()
    return [result, seen, called, token.is_cancelled(), late.cancelled(), same]


@scenario
async def an_unhandled_exception_ends_the_runtime() -> Any:
    runtime, _ = await with_talker(ignore_unhandled_exceptions=False)
    runtime.start()
    asked = await outcome(runtime.send_message(Ask("fail"), core.AgentId("talker", "k")))
    await runtime.publish_message(Ask("fail"), core.TopicId("news", "k"))
    idle = await outcome(runtime.stop_when_idle())
    again = await outcome(runtime.stop())
    runtime.start()
    alive = await outcome(runtime.send_message(Ask("hi"), core.AgentId("talker", "k")))
    await runtime.stop()
    return [asked, idle, again, alive]


@scenario
async def lifecycle() -> Any:
    runtime, log = await with_talker()
    early = [await outcome(runtime.stop()), await outcome(runtime.stop_when_idle())]
    await runtime.publish_message(Ask("1"), core.TopicId("news", "k"))
    await runtime.publish_message(Ask("2"), core.TopicId("news", "k"))
    counts = [runtime.unprocessed_messages_count]
    await runtime.process_next()
    counts += [runtime.unprocessed_messages_count]
    runtime.start()
    twice = call(runtime.start)
    await runtime.stop_when(lambda: len(log) == 2)
    await runtime.publish_message(Ask("3"), core.TopicId("news", "k"))
    runtime.start()
    await runtime.stop_when_idle()
    await runtime.close()
    return [early, counts, twice, len(log)]


@scenario
async def stepping_through_a_request() -> Any:
    runtime, _ = await with_talker()
    sending = asyncio.ensure_future(runtime.send_message(Ask("hi"), core.AgentId("talker", "k")))
    await asyncio.sleep(0)
    steps = 0
    while not sending.done() and steps < 5:
        await asyncio.wait_for(runtime.process_next(), 1)
        steps += 1
    return [await outcome(sending), runtime.unprocessed_messages_count]


@scenario
async def closing() -> Any:
    closed: list[str] = []

    class Closing(Talker):
        async def close(self) -> None:
            closed.append(str(self.id))

    runtime = core.SingleThreadedAgentRuntime()
    await Closing.register(runtime, "c", Closing)
    await runtime.get("c", "made", lazy=False)
    await runtime.get("c", "not made")
    runtime.start()
    await runtime.close()
    return [closed, await outcome(runtime.stop())]


@scenario
async def state() -> Any:
    runtime, _ = await with_talker()
    runtime.start()
    await runtime.send_message(Ask("x"), core.AgentId("talker", "k"))
    await runtime.stop_when_idle()
    saved = await runtime.save_state()
    other, _ = await with_talker()
    await other.load_state({**saved, "unknown/k": {}})
    await other.agent_load_state(core.AgentId("talker", "l"), {"log": ["given"]})
    return [
        saved,
        await other.save_state(),
        await other.agent_save_state(core.AgentId("talker", "k")),
        await other.agent_metadata(core.AgentId("talker", "q")),
    ]


@scenario
async def an_agent_without_state() -> Any:
    class Plain(core.BaseAgent):
        async def on_message_impl(self, message: Any, ctx: core.MessageContext) -> Any:
            return message

    runtime = core.SingleThreadedAgentRuntime()
    await Plain.register(runtime, "plain", lambda: Plain("plain"))
    agent = await runtime.try_get_underlying_agent_instance(core.AgentId("plain", "k"))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        saved = await agent.save_state()
        await agent.load_state({})
    return [saved, [str(w.message) for w in caught], agent.metadata, call(lambda: Plain(3))]


@scenario
async def closures() -> Any:
    return [await closure_with_policy(policy) for policy in ("warn", "error", "ignore")]


async def closure_with_policy(policy: str) -> Any:
    seen: list[str] = []

    async def closure(context: core.ClosureContext, message: Ask, ctx: core.MessageContext) -> Any:
        seen.append(f"{context.id} {type(message).__name__} {ctx.is_rpc}")
        return Reply("done")

    runtime = Recording()
    await core.ClosureAgent.register_closure(
        runtime,
        "closure",
        closure,
        unknown_type_policy=policy,
        description="d",
        subscriptions=lambda: [core.DefaultSubscription(), core.TypeSubscription("x", "closure")],
    )
    runtime.start()
    target = core.AgentId("closure", "k")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        answers = [await outcome(runtime.send_message(m, target)) for m in (Ask(""), Reply(""))]
    await runtime.publish_message(Ask(""), core.DefaultTopicId())
    await runtime.stop_when_idle()
    saved = await runtime.save_state()
    return [answers, seen, len(caught), [subscription(s) for s in runtime.added], saved]


@scenario
async def serializers() -> Any:
    results: list[Any] = []
    for message in (Ask("é"), Model(name="x", tags=["a"])):
        [serializer] = core.try_get_known_serializers_for_type(type(message))
        data = serializer.serialize(message)
        results.append(
            [
                serializer.type_name,
                serializer.data_content_type,
                json.loads(data),
                serializer.deserialize(data) == message,
            ]
        )
    unknown = core.UnknownPayload("t", "c", b"x")
    return [
        results,
        core.try_get_known_serializers_for_type(int),
        core.JSON_DATA_CONTENT_TYPE,
        core.PROTOBUF_DATA_CONTENT_TYPE,
        unknown.type_name,
    ]


@scenario
async def event_log() -> Any:
    lines: list[Any] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(record.getMessage()))

    logger = logging.getLogger(core.EVENT_LOGGER_NAME)
    logger.setLevel(logging.INFO)
    logger.addHandler(Listener())
    logger.propagate = False
    runtime, _ = await with_talker()
    runtime.start()
    await runtime.send_message(Ask("x"), core.AgentId("talker", "k"))
    await runtime.stop_when_idle()
    logger.setLevel(logging.CRITICAL)
    fields = ("type", "sender", "receiver", "kind", "delivery_stage")
    return [[[line.get(f) for f in fields] + [line["payload"].replace(" ", "")] for line in lines], sorted(lines[0])]


async def main() -> None:
    results = {}
    for name, function in SCENARIOS.items():
        try:
            results[name] = await asyncio.wait_for(function(), 10)
        except BaseException as error:  # noqa: BLE001 - whatever is raised is the outcome
            results[name] = f"scenario raised {type(error).__name__}: {error}"
    json.dump(results, sys.stdout, default=str)
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())

from __future__ import annotations
import asyncio
from typing import Any
import pytest
from agentopic.envelope import Envelope
from agentopic.core import AgentId, MessageContext
from agentopic.envelope.kafka import encode
from agentopic.ports.transport import OutgoingRecord
from .town import Note, Resident, Town, seeing, topic, until
from agentopic.adapters.transport.memory import MemoryTransport

M=2147483647
CASES = {
 "hops": dict(aghops=M),
 "redrive": dict(agredrive=M), "attempt": dict(agattempt=M),
 "corr": dict(correlationid="c"*1024), "corr2": dict(correlationid="é"*512), "corrlong": dict(correlationid="c"*4000),
 "req": dict(agrequestid="é"*512), "reqlong": dict(agrequestid="é"*2000),
 "caus": dict(causationid="é"*512), "key": dict(agtargetkey="é"*512), "keyq": dict(agtargetkey="%"*1000), "keysl": dict(agtargetkey="a/b c?"*100),
 "reply": dict(agreplyto="x/0"), "reply2": dict(agreplyto="town.replies/99999999999999999999"), "reply3": dict(agreplyto="town.replies/9"),"reply4": dict(agreplyto="/0"),
 "reply5": dict(agreplyto="a b c/0"), "reply6": dict(agreplyto="é"*300+"/0"),"reply7": dict(agreplyto="town.replies/٣"),"reply8": dict(agreplyto="town.replies/²"),
 "sender": dict(agagentsendertype="bad type!", agagentsenderkey="k"), "sender2": dict(agagentsendertype="", agagentsenderkey=""),
 "exp": dict(expirytime="9999-12-31T23:59:59Z"), "exp2": dict(expirytime="0001-01-01T00:00:00Z"), "exp3": dict(expirytime="0001-01-01T00:00:00+14:00"),"exp4": dict(expirytime="9999-12-31T23:59:59-14:00"),
 "tp": dict(traceparent="x"), "chain": dict(agcallchain="x"*3000), "dataref": dict(dataref="x", agdatasha256="zz"), "fresh": dict(agfresh="9"*30, agredrive=3),
 "subj": dict(_subject="é"*512), "id": dict(_id="é"*512), "src": dict(_source="/"+"é"*511), "type": dict(_type="é"*512), "ct": dict(_ct="application/é"),"neg": dict(aghops=-M-1, agredrive=-M-1),
 "topic": dict(agtopictype="é"*300, agtopicsource="é"*512),
}
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("how", ["ok", "fail"])
@pytest.mark.parametrize("kind", ["request","publish"])
async def test_poison(town: Town, case: str, how: str, kind:str):
    seen=[]
    async def handle(agent, message, ctx):
        seen.append(message.text)
        if message.text!="b":
            await agent.publish_message(Note(text="o"), topic("out"))
            if how == "fail": raise ValueError("x")
        return Note()
    town.create("topic.out")
    runtime = town.runtime()
    await town.settle(runtime, "clerk", handle)
    await runtime.start()
    x=dict(CASES[case])
    base=dict(agmsgkind="request", agrequestid="r1", agtargettype="clerk", agtargetkey="k", agreplyto="town.replies/0") if kind=="request" else {}
    base.update({k:v for k,v in x.items() if k[0]!="_"})
    try:
        e = Envelope(id=x.get("_id","x"), source=x.get("_source","/s"), type=x.get("_type","town.Note.v1"), datacontenttype=x.get("_ct","application/json"), data=b"{}", subject=x.get("_subject","k"), extensions=base)
    except Exception as exc:
        pytest.skip(repr(exc)[:80])
    m = encode(e, key=b"k")
    tr = MemoryTransport(town.log)
    await tr.send([OutgoingRecord(topic="town.agent.clerk" if kind=="request" else "town.topic.clerk", key=b"k", value=m.value, headers=m.headers)])
    await runtime.publish_message(Note(text="b"), topic("clerk"))
    await until(lambda: "b" in seen, "seen", 4)
    try:
        async with asyncio.timeout(4):
            await runtime.stop_when_idle()
    except TimeoutError:
        raise AssertionError("not idle") from None

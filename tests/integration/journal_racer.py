"""A process that, once told, takes lanes until the journal is empty and prints each head it finished, in order."""

from __future__ import annotations

import asyncio
import sys

from agentopic.adapters.journal.postgres import PostgresJournal, PostgresOptions
from agentopic.testing.journal_mesh import GROUP, Member, done, output


async def race(dsn: str, slots: int) -> None:
    journal = PostgresJournal(PostgresOptions(dsn=dsn))
    await journal.start()
    member = Member(journal=journal, id=await journal.join([GROUP], "racer"), known={})
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    while (await journal.backlog([GROUP]))[GROUP].deliveries:
        lanes = await member.take(slots)
        while lanes:
            committed = await member.commit(*(done(lane, outbox=[output("x")], hand_back=True) for lane in lanes))
            if committed.lost:
                raise RuntimeError("a lane that only this process held was lost")
            sys.stdout.write("".join(f"{lane.head.decode()}\n" for lane in lanes))
            await member.commit(sent=committed.rows)
            lanes = committed.started
    await journal.leave(member.id)
    await journal.aclose()


if __name__ == "__main__":
    asyncio.run(race(sys.argv[1], int(sys.argv[2])))

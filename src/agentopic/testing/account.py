"""The unprivileged account under which a server runs that refuses to be root."""

from __future__ import annotations

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from agentopic.errors import BedUnavailableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user and its group, as numbers."""

    uid: int
    gid: int


def unprivileged_account() -> Account | None:
    """Return the account to step down to, or None when this process is not root and need not.

    Raises:
        BedUnavailableError: when this is root and the machine knows no other user.
    """
    if os.geteuid() != 0:
        return None
    users = [user for user in pwd.getpwall() if user.pw_uid != 0]
    if not users:
        raise BedUnavailableError("PostgreSQL refuses to run as root and this machine has no other user")
    chosen = next((user for user in users if user.pw_name == "nobody"), users[0])
    return Account(uid=chosen.pw_uid, gid=chosen.pw_gid)


def open_folder() -> Path:
    """Return a folder for temporary files that every account can pass through."""
    candidates = [Path(tempfile.gettempdir()), Path("/tmp"), Path("/var/tmp")]  # noqa: S108 - only a parent
    for folder in candidates:
        resolved = folder.resolve()
        if all(stat.S_IXOTH & step.stat().st_mode for step in (resolved, *resolved.parents)):
            return resolved
    return candidates[0]

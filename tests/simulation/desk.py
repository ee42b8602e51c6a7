"""The booking desk: a store outside of the mesh that refuses whoever has lost his agent without knowing it."""

from __future__ import annotations


class Desk:
    """Keeps what stands booked, and the highest fencing token it has seen for each agent."""

    def __init__(self) -> None:
        self.standing: set[str] = set()
        self.refused = 0
        self._tokens: dict[str, int] = {}

    def book(self, name: str, agent: str, token: int) -> None:
        """Book something; once more is the same."""
        self._check(agent, token)
        self.standing.add(name)

    def release(self, name: str, agent: str, token: int) -> None:
        """Give something back, whether it stands or not."""
        self._check(agent, token)
        self.standing.discard(name)

    def _check(self, agent: str, token: int) -> None:
        if token < self._tokens.get(agent, 0):
            self.refused += 1
            raise ConnectionRefusedError(f"{agent} is in other hands since token {token}")
        self._tokens[agent] = token

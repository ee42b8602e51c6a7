"""Carrying the journal's content over to another, and back; looking through all of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import batched
from typing import Any

from agentopic.adapters.journal.carried import check_rows, headers_text
from agentopic.adapters.journal.redis.batches import SPEND_COUNTS
from agentopic.adapters.journal.redis.carried_words import restore_words
from agentopic.adapters.journal.redis.membership import RedisMembership
from agentopic.adapters.journal.redis.rows import address_of, content_of, stored_row
from agentopic.adapters.journal.text import check_text
from agentopic.errors import JournalError
from agentopic.ports.journal import Cell, PortableRow, Table

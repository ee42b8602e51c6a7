from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentopic.adapters.journal.text import check_text
from agentopic.errors import ValueRefusedError


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_text_without_nul_and_surrogates_passes(value: str) -> None:
    check_text("key", value)


@given(st.text(), st.sampled_from(["\0", "\ud800", "\udfff"]), st.text())
def test_text_with_nul_or_a_lone_surrogate_is_refused(before: str, bad: str, after: str) -> None:
    with pytest.raises(ValueRefusedError, match="key"):
        check_text("key", before + bad + after)

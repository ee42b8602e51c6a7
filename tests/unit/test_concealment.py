from __future__ import annotations

import pytest

from agentopic import concealment
from agentopic.concealment import MASK, conceal, masked, passwords, redacted


@pytest.fixture(autouse=True)
def _nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concealment, "_known", set[str]())
    monkeypatch.setattr(concealment, "_pattern", None)


def test_a_known_secret_is_hidden_whatever_its_form() -> None:
    conceal("s3cret/with:signs")

    assert masked("a s3cret/with:signs b s3cret%2Fwith%3Asigns c") == f"a {MASK} b {MASK} c"


def test_the_longer_of_two_secrets_is_hidden_whole() -> None:
    conceal("abcdefgh", "abcdefghij")

    assert masked("abcdefghij") == MASK


@pytest.mark.parametrize("innocent", [None, "", "test", "1234567"])
def test_a_value_too_short_to_be_told_from_words_hides_nothing(innocent: str | None) -> None:
    conceal(innocent)

    assert masked("a test of 1234567") == "a test of 1234567"


def test_what_has_the_form_of_a_key_is_redacted_unknown() -> None:
    assert redacted("Authorization: Bearer abcdefgh123, sk-abcdefgh123") == f"Authorization: Bearer {MASK}, {MASK}"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("kafka://me:p@ss/w:rd@a:1,b:2", ("p@ss/w:rd",)),
        ("postgresql://h/db?user=me&password=hidden", ("hidden",)),
        ("sqlite:///a.db", ()),
    ],
)
def test_the_passwords_of_a_url_are_found(url: str, found: tuple[str, ...]) -> None:
    assert passwords(url) == found

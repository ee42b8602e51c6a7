"""What must not be shown: the secrets this process knows by value or by form, and texts without them."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote, unquote

MASK: Final = "********"

# A shorter secret is found in innocent words as well; hiding those tells what it is.
_SHORTEST: Final = 8

# Greedy up to the last `@`: a password may itself contain `@`, `:` or `/` when nobody escaped it.
# A scheme begins where a word does and is short: tried at every letter of a long text, it would take for ever.
_USER_INFO: Final = re.compile(
    r"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z][A-Za-z0-9+.-]{0,31}://)(?P<user>[^:@/\s]*):(?P<password>[^\s]*)@"
)
_PARAMETER: Final = re.compile(
    r"(?i)(?P<lead>[?&\s](?:password|passwd|sslpassword|secret|token|api_?key)=)(?P<value>[^&\s]+)"
)
_KEY: Final = re.compile(
    r"(?P<lead>\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]{8,}|\bsk-[A-Za-z0-9_-]{8,}|\bAIza[A-Za-z0-9_-]{20,}"
)

_known: set[str] = set()
_pattern: re.Pattern[str] | None = None


def conceal(*secrets: str | None) -> None:
    """Have these values, URL-escaped or not, hidden from now on wherever this process says what went wrong.

    Values below eight characters are left out.
    """
    global _pattern  # noqa: PLW0603 - what a process knows is one thing, as its environment is
    forms = {form for secret in secrets if secret for form in (secret, unquote(secret), quote(secret, safe=""))}
    new = {form for form in forms if len(form) >= _SHORTEST} - _known
    if new:
        _known.update(new)
        _pattern = re.compile("|".join(re.escape(each) for each in sorted(_known, key=len, reverse=True)))


def masked(text: str) -> str:
    """Return a text without the passwords of the URLs in it and without the secrets this process knows."""
    shown = text if _pattern is None else _pattern.sub(MASK, text)
    shown = _USER_INFO.sub(rf"\g<scheme>\g<user>:{MASK}@", shown)
    return _PARAMETER.sub(rf"\g<lead>{MASK}", shown)


def redacted(text: str) -> str:
    """Return a text as `masked` does, and without anything that has the form of a key."""
    return _KEY.sub(lambda match: (match["lead"] or "") + MASK, masked(text))


def passwords(url: str) -> tuple[str, ...]:
    """Return the secrets that a URL carries."""
    login = _USER_INFO.search(url)
    found = tuple(match["value"] for match in _PARAMETER.finditer(url))
    return (*found, login["password"]) if login else found

"""How a value is shown without its secrets."""

from __future__ import annotations

import re
from typing import Final

MASK: Final = "********"

# Greedy up to the last `@`: a password may itself contain `@`, `:` or `/` when nobody escaped it.
_USER_INFO: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?P<user>[^:@/\s]*):[^\s]*@")
_PARAMETER: Final = re.compile(r"(?i)([?&\s](?:password|passwd|sslpassword|secret|token|api_?key)=)[^&\s]+")


def masked(text: str) -> str:
    """Return a text without the passwords of the URLs in it; any other text unchanged."""
    hidden = _USER_INFO.sub(rf"\g<scheme>\g<user>:{MASK}@", text)
    return _PARAMETER.sub(rf"\g<1>{MASK}", hidden)

"""The canonical text of attribute values, for bindings that carry text only."""

from __future__ import annotations

import base64

from agentopic.envelope.validation import ExtensionValue


def canonical_text(value: ExtensionValue) -> str:
    """Return the text the CloudEvents type system prescribes: `true`, `7`, Base64 for bytes."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else base64.b64encode(value).decode()

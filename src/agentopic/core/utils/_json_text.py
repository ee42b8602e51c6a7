"""Finds JSON objects in text that a model wrote."""

from __future__ import annotations

import json
import re
from typing import Any

_FENCE = re.compile(r"```(?:\s*(?P<language>[\w+\-]+))?\n(?P<body>[\s\S]*?)```")


def extract_json_from_str(content: str) -> list[dict[str, Any]]:
    """The objects in the fenced blocks of a text, or the text itself when it has no fence.

    Raises:
        ValueError: a block names another language than JSON, or is not JSON.
    """
    blocks = list(_FENCE.finditer(content))
    if not blocks:
        return [json.loads(content)]
    for block in blocks:
        language = (block["language"] or "").strip()
        if language and language.lower() != "json":
            raise ValueError(f"Expected JSON object, but found language: {language}")
    return [json.loads(block["body"]) for block in blocks]

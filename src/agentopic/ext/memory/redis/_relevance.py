"""How near a remembered text is to a question: by its words, or by vectors of an embedding."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

_WORD = re.compile(r"\w+")


def by_words(question: str, texts: Sequence[str]) -> list[float]:
    """The relevance of each text, 0 without a common word; rare words count more (BM25)."""
    asked = set(_words(question))
    counted = [Counter(_words(text)) for text in texts]
    lengths = [sum(words.values()) for words in counted]
    mean = sum(lengths) / len(lengths) if lengths else 1.0
    holders = {word: sum(word in words for words in counted) for word in asked}
    return [
        sum(_weight(words[word], holders[word], len(texts), length / (mean or 1.0)) for word in asked)
        for words, length in zip(counted, lengths, strict=True)
    ]


def vector_distance(one: Sequence[float], other: Sequence[float], metric: Literal["cosine", "ip", "l2"]) -> float:
    """The distance of two vectors as Redis defines it; infinite when they do not compare."""
    if len(one) != len(other):
        return math.inf
    if metric == "l2":
        return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
    product = sum(a * b for a, b in zip(one, other, strict=True))
    if metric == "ip":
        return 1 - product
    norms = math.hypot(*one) * math.hypot(*other)
    return 1 - product / norms if norms else math.inf


def _weight(count: int, holders: int, total: int, relative_length: float) -> float:
    if count == 0:
        return 0.0
    rarity = math.log(1 + (total - holders + 0.5) / (holders + 0.5))
    return rarity * count * 2.5 / (count + 1.5 * (0.25 + 0.75 * relative_length))


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())

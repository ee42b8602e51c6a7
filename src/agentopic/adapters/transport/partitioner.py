"""Which partition a key belongs to: Kafka's default partitioner, so that every client agrees on it."""

from __future__ import annotations

import struct
from functools import lru_cache

_MASK = 0xFFFFFFFF
_SEED = 0x9747B28C
_MULTIPLIER = 0x5BD1E995


def _mixed(word: int) -> int:
    word = (word * _MULTIPLIER) & _MASK
    word ^= word >> 24
    return (word * _MULTIPLIER) & _MASK


def murmur2(data: bytes) -> int:
    """Return the 32-bit MurmurHash2 of `data`, unsigned, with the seed Kafka's clients use."""
    length = len(data)
    whole = length & ~3
    hashed = _SEED ^ length
    for (word,) in struct.iter_unpack("<I", data[:whole]):
        hashed = ((hashed * _MULTIPLIER) & _MASK) ^ _mixed(word)
    if length > whole:
        hashed ^= int.from_bytes(data[whole:], "little")
        hashed = (hashed * _MULTIPLIER) & _MASK
    hashed ^= hashed >> 13
    hashed = (hashed * _MULTIPLIER) & _MASK
    return hashed ^ (hashed >> 15)


@lru_cache(maxsize=4096)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition a keyed record goes to among `partitions`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions

"""Recorded conversations with providers, for tests that run without a key and without a network."""

from agentopic.ext.models.cassette._cassette import Cassette
from agentopic.ext.models.cassette._recording import Recording

__all__ = ["Cassette", "Recording"]

"""Ports: what the engine needs from the outside, one Protocol per file, guarantees in the docstrings."""

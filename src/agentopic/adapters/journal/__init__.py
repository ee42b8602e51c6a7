"""Journals: the same protocol over PostgreSQL, SQLite and memory."""

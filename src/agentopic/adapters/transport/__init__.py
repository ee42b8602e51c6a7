"""Transports: the log on Kafka, on one SQLite file, and in memory, each with its admin beside it."""

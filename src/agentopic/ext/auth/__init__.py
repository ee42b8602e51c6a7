"""Credentials for providers."""

"""Stores for cached values, one module per library, as in `autogen_ext.cache_store`."""

"""Teams that are put together already, as in `autogen_ext.teams`."""

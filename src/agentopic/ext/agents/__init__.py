"""Agents that stand on third-party packages or are made for one team, as in `autogen_ext.agents`."""

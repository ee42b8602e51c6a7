"""Rate limits in the process and shared through Redis."""

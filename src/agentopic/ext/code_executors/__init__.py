"""Code executors."""

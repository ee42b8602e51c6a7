"""Telemetry: what a process says about itself."""

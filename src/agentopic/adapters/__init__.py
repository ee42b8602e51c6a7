"""Adapters: the ports on real stores, brokers and clocks; chosen by `wiring` alone."""

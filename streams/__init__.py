"""Complaints in, windows and incidents out: intake, detection and the runtimes that carry them."""

"""Channels: one file each, and the loop that sends what stands in the outbox."""

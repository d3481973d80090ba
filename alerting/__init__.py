"""Incidents: their life from a signal to resolved, and the words they are told in."""

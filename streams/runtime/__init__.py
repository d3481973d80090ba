"""The edge: sources, journal, store, HTTP, commands. Everything that reads a clock, a disk or a network."""

"""What the service keeps: incidents, cells, controls, sources, dead letters, snapshots. SQLite, or any database SQLAlchemy reaches."""

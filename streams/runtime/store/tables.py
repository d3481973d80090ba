"""The store's tables. Times are Unix seconds; places and keywords of cells are numbers of `place_names` and `keyword_names`."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

versions = Table(
    "versions", metadata, Column("version", Integer, primary_key=True), Column("applied_at", Float, nullable=False)
)

meta = Table("meta", metadata, Column("key", String(64), primary_key=True), Column("value", Text, nullable=False))

place_names = Table(
    "place_names",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("place", String(128), nullable=False, unique=True),
    Column("level", String(16), nullable=False),
    Column("name", String(256)),  # as are the next three, NULL where an earlier version wrote the row
    Column("within", Text),  # |id|id| from itself up to everywhere
    Column("lat", Float),
    Column("lon", Float),
)

keyword_names = Table(
    "keyword_names",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("keyword", String(256), nullable=False, unique=True),
    Column("name", String(256)),
)


def _cells(name: str, *keys: str) -> Table:
    """Counts of closed windows, clustered by `keys`, in partitions by time on PostgreSQL; expected, upper, p_value are NULL where only late
    rows are known."""
    return Table(
        name,
        metadata,
        *(Column(key, BigInteger, primary_key=True, autoincrement=False) for key in keys),
        Column("seconds", Integer, nullable=False),
        Column("voices", Integer, nullable=False),
        Column("messages", Integer, nullable=False),
        Column("expected", Float),
        Column("upper", Float),
        Column("p_value", Float),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (start)",
    )


cells = _cells("cells", "start", "place", "keyword")
Index("cells_series", cells.c.place, cells.c.keyword, cells.c.start)
late_rows = Table(  # what came after its window had closed; the cells hold it too
    "late_rows",
    metadata,
    *(Column(key, BigInteger, primary_key=True, autoincrement=False) for key in ("start", "place", "keyword")),
    Column("voices", Integer, nullable=False),
)
cuts = Table(  # by what each window was judged; kept as long as the cells
    "cuts",
    metadata,
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("cut", Float, nullable=False),  # p-value
    Column("learning", Boolean, nullable=False),
)
# Sums of the table before, each kept when that is gone; whole days begin at 00:00 UTC.
fives = _cells("fives", "place", "keyword", "start")
hours = _cells("hours", "place", "keyword", "start")
days = _cells("days", "place", "keyword", "start")
for tier in (fives, hours, days):
    Index(f"{tier.name}_start", tier.c.start)


def _incidents(name: str, *, revisions: bool) -> Table:
    """Incidents as JSON, with the columns that are searched; `places` and `keywords` hold `|id|id|`."""
    return Table(
        name,
        metadata,
        Column("id", String(64), primary_key=True),
        Column("revision", Integer, primary_key=revisions, nullable=False, autoincrement=False),
        Column("state", String(16), nullable=False),
        Column("onset", Float, nullable=False),
        Column("updated_at", Float, nullable=False),
        Column("resolved_at", Float),
        Column("places", Text, nullable=False),
        Column("keywords", Text, nullable=False),
        Column("body", Text, nullable=False),
    )


incidents = _incidents("incidents", revisions=False)  # the newest revision of each
Index("incidents_state", incidents.c.state, incidents.c.updated_at)
incident_revisions = _incidents("incident_revisions", revisions=True)
Index("incident_revisions_updated", incident_revisions.c.updated_at)

controls = Table(
    "controls",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("at", Float, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("incident", String(64), index=True),
    Column("body", Text, nullable=False),
    Column("number", Integer),  # the audit log: rows in the order they were written, each chained to the one before
    Column("chain", String(64)),
)
Index("controls_number", controls.c.number, unique=True)

sources = Table(
    "sources",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("channel", String(16), nullable=False),
    Column("last_event", Float),
    Column("last_arrival", Float),
    Column("records", Integer, nullable=False),
    Column("complaints", Integer, nullable=False),
    Column("voices", Integer, nullable=False),
    Column("placed", Integer, nullable=False),
    Column("duplicates", Integer, nullable=False),
    Column("copies", Integer, nullable=False),
    Column("old", Integer, nullable=False),
    Column("late", Integer, nullable=False),
    Column("clock_changes", Integer, nullable=False),
    Column("usual_per_hour", Float, nullable=False),
    Column("blind_since", Float),
    Column("blind_places", Text),  # |id|id| while it is blind: where it usually reports from
)

blind_spells = Table(  # each time a source was blind; the page asks how it was at a past moment
    "blind_spells",
    metadata,
    Column("source", String(256), primary_key=True),
    Column("since", Float, primary_key=True),  # when its silence began
    Column("noticed_at", Float, nullable=False),  # the close that called it blind
    Column("ended_at", Float),  # the close that heard it again
    Column("usual_per_hour", Float, nullable=False),
    Column("blind_places", Text),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("where", String(512), primary_key=True),
    Column("reason", String(32), nullable=False),
    Column("detail", Text, nullable=False),
    Column("source", String(256)),
    Column("arrived_at", Float, nullable=False, index=True),
    Column("length", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("raw", Text, nullable=False),  # base64; the only place that holds what people wrote
)

outbox = Table(  # what is to be told, was told, or could not be; one row for each message to a channel
    "outbox",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("channel", String(32), nullable=False),  # by its name in the configuration
    Column("key", String(255), nullable=False),  # the incident, or the trouble of our own
    Column("sequence", BigInteger, nullable=False),  # of an incident: its revision
    Column("action", String(16), nullable=False),
    Column("created_at", Float, nullable=False),
    Column("state", String(16), nullable=False, index=True),  # pending | sending | sent | superseded | dead
    Column("attempts", Integer, nullable=False),
    Column("not_before", Float, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("thread", Text),  # what the channel gave back
    Column("error", Text),
    Column("ended_at", Float),  # when it was sent, superseded or given up
    Column("body", Text),  # of trouble of our own
    UniqueConstraint("channel", "key", "sequence"),
    sqlite_autoincrement=True,  # a number is never given twice
)
Index("outbox_key", outbox.c.key, outbox.c.sequence)

gaps = Table(
    "gaps",
    metadata,
    Column("start", Float, primary_key=True),
    Column("kind", String(16), primary_key=True),  # step | suspend | down
    Column("seconds", Float, nullable=False),
)

snapshots = Table(
    "snapshots",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("position", BigInteger, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("config", String(64), nullable=False),
    Column("cursors", Text, nullable=False),
    Column("checksum", String(64), nullable=False),
    Column("state", LargeBinary, nullable=False),
)

"""The tables of the catalog; `SCHEMA_VERSION` counts up whenever one of them changes.

A storage of an older version gets the tables that it lacks when it is opened for writing (`database.py`).
2: `feedback`, the graph. 4: paths of the graph, and those that a model found; what moderation has allowed.
5: files that an endpoint holds.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

SCHEMA_VERSION = 5

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

generations = Table(
    "generations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", String(16), nullable=False),
    Column(
        "recipe", Text, nullable=False
    ),  # JSON of the config parts that it was built with, without secrets
    Column("cache_key", String(16), nullable=False),  # the embed model's fingerprint
    Column("state", String(16), nullable=False),  # building, active, old
    Column("sound", Boolean, nullable=False, default=True),  # false: the derived stores are being built again
    Column("dimension", Integer, nullable=False, default=0),  # 0 until the first vector
    Column("probe", LargeBinary),  # the vector of a fixed text: tells when an endpoint changes its model
    Column("created", Float, nullable=False),
    sqlite_autoincrement=True,
)

# The text of a document as it was read, in blocks, under its load fingerprint. Shared by generations and by
# documents of equal bytes; what a citation points into, whatever became of the file.
contents = Table(
    "contents",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("format", String(32), nullable=False),
    Column("markdown", Boolean, nullable=False),
    Column("pages", Text, nullable=False),  # JSON list of offsets
    Column("encoding", String(32), nullable=False),
    Column("notes", Text, nullable=False),  # JSON list of strings
)
blocks = Table(
    "blocks",
    metadata,
    Column("key", String(16), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Texts that may be taken in, by the moderation that said so last.
vetted = Table(
    "vetted",
    metadata,
    Column("key", String(16), primary_key=True),  # load fingerprint
    Column("moderation", String(16), nullable=False),
)

documents = Table(
    "documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("generation", Integer, ForeignKey("generations.id"), nullable=False),
    Column("loader", String(128), nullable=False),
    Column("path", Text, nullable=False),
    # what was seen last, whether or not it could be used
    Column("size", Integer, nullable=False, default=-1),
    Column("modified", Integer, nullable=False, default=0),
    Column("seen", String(32), nullable=False, default=""),  # content hash
    Column("tried", String(40), nullable=False, default=""),  # load and parse fingerprint (and moderation)
    Column("state", String(16), nullable=False),  # new, done, failed, quarantined
    Column("error", Text, nullable=False, default=""),
    # what is indexed; `content` is empty where nothing is
    Column("content", String(32), nullable=False, default=""),  # content hash
    Column("load", String(16), nullable=False, default=""),  # load fingerprint: the key of its text
    Column("parse", String(16), nullable=False, default=""),  # parse fingerprint
    Column("chunks", Integer, nullable=False, default=0),
    Column("tokens", Integer, nullable=False, default=0),
    UniqueConstraint("generation", "loader", "path"),
    sqlite_autoincrement=True,  # an id is never given twice: node ids are derived from it
)
Index("documents_load", documents.c.load)

# Live nodes only: what is not here does not exist, whatever the derived stores hold.
nodes = Table(
    "nodes",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("document", Integer, ForeignKey("documents.id"), nullable=False),
    Column("position", Integer, nullable=False),  # order within the document
    Column("start", Integer),  # span in the document's text; null where the text is not verbatim
    Column("end", Integer),
    Column("page", Integer),
    Column("heading", Text, nullable=False, default=""),
    Column("table_header", Text, nullable=False, default=""),
    Column("tokens", Integer, nullable=False, default=0),
    Column("digest", LargeBinary(16), nullable=False),  # of the embedded text: the key in `embeddings`
    Column("text", LargeBinary),  # compressed; null where the span tells
    Column("parent", String(40)),  # a larger node that holds this one
    Column("leaf", Boolean, nullable=False, default=True),  # only leaves are in the derived stores
    Column("extra", Text, nullable=False, default=""),  # JSON of what the node parser added
    sqlite_with_rowid=False,
)
Index("nodes_document", nodes.c.document)

# Ids that may stand in the derived stores and that nobody must see: written before an upsert, kept after a
# retirement, cleared by the sweep.
retired = Table(
    "retired",
    metadata,
    Column("generation", Integer, primary_key=True),
    Column("node", String(40), primary_key=True),
    sqlite_with_rowid=False,
)

embeddings = Table(
    "embeddings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", String(16), nullable=False),
    Column("digest", LargeBinary(16), nullable=False),
    Column("vector", LargeBinary, nullable=False),  # float32, little endian
    UniqueConstraint("model", "digest"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started", Float, nullable=False),
    Column("finished", Float),
    Column("outcome", String(16), nullable=False),  # running, done, failed, interrupted, stopped
    Column("pid", Integer, nullable=False),
    Column("host", Text, nullable=False),
    Column("summary", Text, nullable=False, default="{}"),
    sqlite_autoincrement=True,
)
job_documents = Table(
    "job_documents",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", Integer, ForeignKey("jobs.id"), nullable=False),
    Column("document", Text, nullable=False),
    Column("action", String(16), nullable=False),
    Column("stage", String(16), nullable=False),  # read, cut, embed, store, done, removed
    Column("seconds", Float, nullable=False, default=0.0),
    Column("chunks", Integer, nullable=False, default=0),
    Column("error", Text, nullable=False, default=""),
)
Index("job_documents_job", job_documents.c.job)

answers = Table(
    "answers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("asked", Float, nullable=False),
    Column("engine", Text, nullable=False),
    Column("question", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("answer", Text, nullable=False),  # the whole Answer as JSON, compact
)

feedback = Table(
    "feedback",
    metadata,
    Column("answer", Integer, ForeignKey("answers.id"), primary_key=True),
    Column("given", Float, nullable=False),
    Column("good", Boolean, nullable=False),
    Column("comment", Text, nullable=False, default=""),
)

# What calls of models have cost, by question and by ingestion.
usage = Table(
    "usage",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Float, nullable=False),
    Column("day", String(10), nullable=False),  # of this machine's clock: 2024-05-01
    Column("kind", String(16), nullable=False),  # question, ingestion
    Column("engine", Text, nullable=False, default=""),
    Column("model", Text, nullable=False),
    Column("purpose", String(64), nullable=False),
    Column("calls", Integer, nullable=False),
    Column("tokens_in", Integer, nullable=False),
    Column("tokens_out", Integer, nullable=False),
    Column("money", Float),  # null where the config gives no price
)
Index("usage_day", usage.c.day)

# What documents are called and what their passages name: a graph that joins documents by these names.
graph_documents = Table(
    "graph_documents",
    metadata,
    Column("document", Integer, ForeignKey("documents.id"), primary_key=True),
    Column("key", String(16), nullable=False),  # how its names were found
)
graph_titles = Table(
    "graph_titles",
    metadata,
    Column("document", Integer, ForeignKey("documents.id"), primary_key=True),
    Column("term", String(100), primary_key=True),
    Column("of_name", Boolean, nullable=False),  # whether only the document's name gives it
    sqlite_with_rowid=False,
)
graph_mentions = Table(
    "graph_mentions",
    metadata,
    Column("document", Integer, ForeignKey("documents.id"), primary_key=True),
    Column("node", String(40), primary_key=True),
    Column("term", String(100), primary_key=True),
    sqlite_with_rowid=False,
)
Index("graph_mentions_term", graph_mentions.c.term)
graph_paths = Table(
    "graph_paths",
    metadata,
    Column("document", Integer, ForeignKey("documents.id"), primary_key=True),
    Column("node", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("subject", String(200), nullable=False),  # as a model wrote it
    Column("relation", String(200), nullable=False),
    Column("object", String(200), nullable=False),
    Column("subject_term", String(100), nullable=False),  # as mentions have it
    Column("object_term", String(100), nullable=False),
    sqlite_with_rowid=False,
)
Index("graph_paths_subject", graph_paths.c.subject_term)
Index("graph_paths_object", graph_paths.c.object_term)

# What a model said of a text, by model and prompt: each is paid for once.
extractions = Table(
    "extractions",
    metadata,
    Column("model", String(16), primary_key=True),
    Column("digest", LargeBinary(16), primary_key=True),
    Column(
        "paths", Text, nullable=False
    ),  # JSON list of three strings each; empty where it said nothing of use
    sqlite_with_rowid=False,
)

# Texts that an endpoint holds as files, for a model to read.
uploaded_files = Table(
    "uploaded_files",
    metadata,
    Column("account", String(32), primary_key=True),  # digest of the endpoint's address and the key
    Column("text", String(16), primary_key=True),  # load fingerprint
    Column("file", String(200), nullable=False),  # id that the endpoint gave
    Column("processed", Boolean, nullable=False),  # whether the endpoint has read it
)

# What another graph store holds: by document the key under which it was mirrored, and all that may be there.
graph_mirrors = Table(
    "graph_mirrors",
    metadata,
    Column("document", Integer, primary_key=True),  # which may be gone from `documents`
    Column("key", String(16), nullable=False),
)
graph_mirrored = Table(
    "graph_mirrored",
    metadata,
    Column("document", Integer, primary_key=True),
    Column("source", String(200), primary_key=True),
    Column("label", String(200), primary_key=True),  # empty for a passage itself
    Column("target", String(200), primary_key=True),
    sqlite_with_rowid=False,
)
Index("graph_mirrored_source", graph_mirrored.c.source)
Index("graph_mirrored_target", graph_mirrored.c.target)

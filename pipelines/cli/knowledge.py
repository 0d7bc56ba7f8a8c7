"""Verbs on configs, ingestions and what a storage holds."""

from __future__ import annotations

from pipelines.cli.verbs import Verbs, verb


def add(verbs: Verbs) -> None:
    """Add them."""
    _config_verbs(verbs)
    _ingestion_verbs(verbs)
    _storage_verbs(verbs)


def _config_verbs(verbs: Verbs) -> None:
    check = verb(verbs, "check", "report every error of config files", "config_commands:check_command")
    check.add_argument("files", nargs="*", metavar="FILE", help="default: config/*.yaml")
    explain = verb(
        verbs,
        "explain",
        "print what is in effect, and where each value comes from",
        "config_commands:explain_command",
    )
    explain.add_argument("file", metavar="FILE")
    explain.add_argument("key", nargs="?", metavar="KEY", help="such as retrievers or embed_model.type")
    components = verb(
        verbs, "components", "list every type that a config can name", "config_commands:components_command"
    )
    components.add_argument("family", nargs="?", metavar="FAMILY", help="such as loaders or node_parser")
    init = verb(
        verbs,
        "init",
        "write a commented starter config for a folder of documents",
        "config_commands:init_command",
    )
    init.add_argument("directory", metavar="DIR")


def _ingestion_verbs(verbs: Verbs) -> None:
    plan = verb(verbs, "plan", "print what an ingestion would do, and why", "ingesting:plan_command")
    ingest = verb(verbs, "ingest", "bring the index in step with the documents", "ingesting:ingest_command")
    for each in (plan, ingest):
        each.add_argument("file", metavar="FILE")
        each.add_argument("--json", action="store_true", help="print JSON for other programs")
        each.add_argument("--retry-failed", action="store_true", help="try quarantined documents again")
    plan.add_argument("--all", action="store_true", help="list every document that changes")
    ingest.add_argument("--yes", action="store_true", help="do not ask before starting")
    ingest.add_argument("--allow-vanish", action="store_true", help="let many documents, or all, be removed")
    ingest.add_argument("--rebuild", action="store_true", help="build both indexes anew from the catalog")
    ingest.add_argument("--watch", action="store_true", help="ingest again whenever documents change")
    ingest.add_argument("--every", type=float, default=5.0, metavar="SECONDS", help="how often --watch looks")


def _storage_verbs(verbs: Verbs) -> None:
    usage = verb(verbs, "usage", "sum the tokens and the money that models took", "usage:usage_command")
    usage.add_argument("file", metavar="FILE")
    usage.add_argument(
        "--days", type=int, default=30, metavar="N", help="today and the days before; default: 30"
    )
    usage.add_argument("--json", action="store_true", help="print JSON for other programs")
    jobs = verb(verbs, "jobs", "list ingestions, or show one", "inspecting:jobs_command")
    documents = verb(verbs, "documents", "list the documents of the index", "inspecting:documents_command")
    chunks = verb(verbs, "chunks", "show what was cut where in a document", "inspecting:chunks_command")
    prune = verb(verbs, "prune", "drop old indexes and what is no longer used", "inspecting:prune_command")
    doctor = verb(verbs, "doctor", "check storage, models and endpoints", "inspecting:doctor_command")
    for each in (jobs, documents, chunks, prune, doctor):
        each.add_argument("file", metavar="FILE")
    jobs.add_argument("id", nargs="?", type=int, metavar="ID")
    jobs.set_defaults(late=("id", int))
    jobs.add_argument("--limit", type=int, default=20, metavar="N", help="how many to list")
    documents.add_argument("--json", action="store_true", help="print JSON for other programs")
    chunks.add_argument("document", metavar="DOC", help="path relative to its loader, or the end of it")

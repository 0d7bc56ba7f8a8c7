"""Is everything as it should be? Each check is one line with its verdict and, where it fails, the remedy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import text

from pipelines.catalog import Catalog, Generation
from pipelines.catalog.derived import as_built, open_keywords, open_vectors
from pipelines.components.llms import LLM
from pipelines.config import Config
from pipelines.errors import SearchaskError
from pipelines.index import KeywordIndex, VectorIndex
from pipelines.ingestion.embed import check_model
from pipelines.ingestion.fingerprints import generation_key
from pipelines.spec import Spec


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    name: str
    fine: bool
    detail: str


def examine(config: Config) -> Iterator[Check]:
    """Look at the catalog, both derived stores, the models, and what would need the network."""
    try:
        catalog = Catalog(config.storage, config.catalog_url)
    except SearchaskError as error:
        yield Check("catalog", False, str(error))
        yield from _models(config)
        return
    try:
        yield _catalog(catalog)
        active = catalog.generations.active()
        if active is None or not active.dimension:
            yield Check("index", False, "nothing is ingested yet: run `searchask ingest`")
        else:
            yield from _stores(config, catalog, active)
            yield _asked("embed model", lambda: _probe(config, catalog, active))
        yield from _generations(catalog, generation_key(config.spec))
        yield from _documents(catalog, active)
    finally:
        catalog.close()
    yield from _models(config)


def _catalog(catalog: Catalog) -> Check:
    if catalog.engine.dialect.name != "sqlite":
        return Check("catalog", True, f"on {catalog.engine.dialect.name}")
    with catalog.engine.connect() as connection:
        said = str(connection.execute(text("PRAGMA quick_check")).scalar())
    return Check("catalog", said == "ok", "sound" if said == "ok" else f"damaged: {said}; restore a backup")


def _stores(config: Config, catalog: Catalog, active: Generation) -> Iterator[Check]:
    spec = as_built(config.spec, active)
    live = catalog.leaf_ids(active.id)
    noted = set(catalog.retired(active.id, limit=1_000_000))
    openers: dict[str, Callable[[], VectorIndex | KeywordIndex]] = {
        "vectors": lambda: open_vectors(spec, config.storage, active),
        "keyword index": lambda: open_keywords(spec, config.storage, active, writable=False),
    }
    for name, opener in openers.items():
        try:
            store = opener()
        except SearchaskError as error:
            yield Check(name, False, str(error))
            continue
        try:
            held = set(store.ids())
        except SearchaskError as error:
            yield Check(name, True, f"can't be compared: {error}")
            continue
        finally:
            store.close()
        yield _compare(name, live, held, noted)


def _compare(name: str, live: set[str], held: set[str], noted: set[str]) -> Check:
    lost, orphans = live - held, held - live - noted
    if lost:
        return Check(
            name, False, f"{len(lost)} of {len(live)} chunks are missing: `searchask ingest --rebuild`"
        )
    if orphans:
        return Check(name, False, f"{len(orphans)} entries belong to no chunk (unseen): `searchask prune`")
    return Check(name, True, f"agree with the catalog: {len(live)} chunks")


def _probe(config: Config, catalog: Catalog, active: Generation) -> str:
    model = as_built(config.spec, active).embed_model.embedder()
    check_model(catalog, active, model)
    return f"{model.name} answers as it did when the index was built ({active.dimension} dimensions)"


def _asked(name: str, call: Callable[[], str]) -> Check:
    try:
        return Check(name, True, call())
    except SearchaskError as error:
        return Check(name, False, str(error))


def _generations(catalog: Catalog, wanted: str) -> Iterator[Check]:
    for generation in catalog.generations.all():
        if generation.state == "building" and generation.fingerprint != wanted:
            yield Check("abandoned index", True, f"{generation.model} was begun; `searchask prune` drops it")
        elif generation.state == "building":
            yield Check("second index", False, f"{generation.model} is not complete: run `searchask ingest`")
        elif generation.state == "old":
            yield Check("old index", True, f"{generation.model} is kept; `searchask prune` drops it")


def _documents(catalog: Catalog, active: Generation | None) -> Iterator[Check]:
    rows = catalog.documents(active.id) if active else []
    bad = [row for row in rows if row.state in ("failed", "quarantined")]
    detail = f"{len(rows)} known, {len(bad)} failed or quarantined"
    yield Check("documents", not bad, detail + ("; see `searchask documents`" if bad else ""))


def _models(config: Config) -> Iterator[Check]:
    llm = config.spec.llm
    if llm is not None:
        yield _asked("llm", lambda: f"{getattr(llm, 'model', llm.type)} answers: {_greeted(llm)}")
    parts = {key: getattr(config.spec, key) for key in ("embed_model", "vector_store", "llm")}
    needs = [f"{key} ({address})" for key, part in parts.items() if (address := _address(part))]
    needs += [f"loader {name}" for name, loader in config.spec.loaders.items() if loader.type == "web"]
    yield Check("network", True, "needed by " + ", ".join(needs) if needs else "nothing needs it")


def _greeted(llm: LLM) -> str:
    """One token of an answer, which shows that address, model and key are right."""
    try:
        return repr(llm.build().complete("Say ok.", max_tokens=1).text)
    except SearchaskError:
        raise
    except Exception as error:  # any class of LlamaIndex may stand behind it
        raise SearchaskError(f"{type(error).__name__}: {str(error)[:200]}") from None


def _address(part: Spec | None) -> str:
    """Where a part of the config is reached over the network; empty for one that works on this machine."""
    kind = getattr(part, "type", "")
    if kind in ("huggingface", "fastembed"):
        return "to download its weights, once"
    default = "https://api.openai.com/v1" if kind == "openai" else ""
    return str(getattr(part, "base_url", None) or getattr(part, "host", None) or default)

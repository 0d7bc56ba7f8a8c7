"""Models that LlamaIndex brings: made from a class path and arguments, with errors a person can use."""

from __future__ import annotations

import re
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding

from pipelines.errors import SearchaskError
from pipelines.extras import llama_index_class, require
from pipelines.models.endpoint import redacted

_SECRET = re.compile(r"(?i)(key$|token$|secret|password|credential|headers)")
_PASSING = re.compile(
    r"(?i)(key$|token$|secret|password|credential|headers|url|api_base|endpoint|host$|port$|timeout|retries|workers"
    r"|batch_size|device|cache|verbose|show_progress)"
)


def made(path: str, *, batch_size: int, extra: str = "", **args: Any) -> BaseEmbedding:
    """An embedding model of the class at `path`; raises `MissingExtra` or `SearchaskError`."""
    if extra:
        require(path.rpartition(".")[0], extra=extra, what=f"embed_model type {extra}")
    model: BaseEmbedding = instance(path, BaseEmbedding, args)
    model.embed_batch_size = batch_size
    return model


def instance(path: str, family: type, args: dict[str, Any], *, method: str | None = None) -> Any:
    """An object of the class at `path`, which must belong to `family`; raises `SearchaskError`."""
    found = llama_index_class(path)
    if not issubclass(found, family):
        raise SearchaskError(f"class {path!r} is no {family.__name__}")
    maker = getattr(found, method, None) if method else found
    if maker is None:
        raise SearchaskError(f"class {path!r} has no method {method!r}")
    try:
        return maker(**args)
    except SearchaskError:
        raise
    except Exception as error:
        said = " ".join(redacted(str(error), secret_values(args)).split())[:300]
        failure = SearchaskError(
            f"class {path!r} can't be made with these args: {said or type(error).__name__}"
        )
    raise failure


def lasting(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments that decide a result: without keys, addresses, timeouts and the like."""
    return {name: value for name, value in args.items() if not _PASSING.search(name)}


def masked(args: dict[str, Any]) -> dict[str, Any]:
    """The arguments with asterisks for the values that are secret, as a `SecretStr` is written."""
    return {name: "**********" if _SECRET.search(name) else value for name, value in args.items()}


def secret_values(args: dict[str, Any]) -> tuple[str, ...]:
    """The values of arguments whose names say that they are secret."""
    return tuple(str(value) for name, value in args.items() if _SECRET.search(name) and len(str(value)) >= 4)

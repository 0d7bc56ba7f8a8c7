"""What an ingestion refuses to do without being told."""

from __future__ import annotations

from pipelines.config import Config
from pipelines.errors import Refused
from pipelines.ingestion.plan import Change, Plan

_SHOWN = 5


def guard(plan: Plan, config: Config, *, allow_vanish: bool) -> None:
    """Refuse a run that finds nothing, or that would lose too much of what is indexed; raises Refused."""
    if allow_vanish:
        return
    found = [change for change in plan.changes if change.action != "vanished"]
    vanished = vanishing(plan)
    if not found:
        raise Refused(
            f"no document was found by {_list(plan.empty)}: check `loaders` (path, include, a missing drive)"
            + ("; --allow-vanish empties the index" if plan.indexed else "")
        )
    known = indexed(plan)
    limit = config.spec.ingestion.vanish_limit
    if vanished and len(vanished) > limit * known:
        raise Refused(
            f"{len(vanished)} of {known} indexed documents would vanish (more than {limit:.0%}): "
            f"{_list([change.path for change in vanished])}; if that is right, run again with --allow-vanish"
        )


def vanishing(plan: Plan) -> list[Change]:
    """The documents that answer questions now, and are gone."""
    return [change for change in plan.changes if change.action == "vanished" and _answers(change)]


def indexed(plan: Plan) -> int:
    """How many documents answer questions now, those that moved or vanished included."""
    return sum(1 for change in plan.changes if change.action == "moved" or _answers(change))


def _answers(change: Change) -> bool:
    """Whether a document answers questions now; an index that is built beside may know others."""
    return change.before is not None and bool(change.before.content)


def _list(names: list[str]) -> str:
    shown = ", ".join(ascii(name) if not name.isprintable() else name for name in names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")

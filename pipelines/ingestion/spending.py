"""What an ingestion may cost, and what it has cost."""

from __future__ import annotations

from contextlib import suppress

from pipelines.catalog import Catalog, usage
from pipelines.catalog.usage import Use
from pipelines.errors import LimitReached, Refused, StorageError
from pipelines.ingestion.embed import Spent
from pipelines.ingestion.plan import Plan
from pipelines.schema import PipelineSpec


class Allowance:
    """The limits of one ingestion; models that run here cost nothing and have none."""

    def __init__(self, spec: PipelineSpec, catalog: Catalog) -> None:
        self._limits, self._catalog = spec.limits, catalog
        self._model = spec.embed_model
        self._price: float | None = getattr(spec.embed_model, "price", None)
        self._free = self._price == 0

    def agree(self, plan: Plan) -> None:
        """Refuse a plan that would pass a limit, by its estimate; raises Refused. Nothing was changed."""
        if self._free:
            return
        for name, tokens, money in self._left():
            cost = plan.tokens * (self._price or 0.0) / 1e6
            if tokens is not None and plan.tokens > tokens:
                said = f"{max(tokens, 0):,} tokens are left, and about {plan.tokens:,} would be embedded"
            elif money is not None and cost > money:
                said = f"{max(money, 0.0):.4f} is left, and embedding would cost about {cost:.4f}"
            else:
                continue
            raise Refused(f"limits.{name}: {said}; raise the limit, or ingest fewer documents")

    def before(self, spent: Spent, tokens: int) -> None:
        """Let so many tokens be embedded, after those of the same run; raises LimitReached."""
        if self._free:
            return
        price = self._price or 0.0
        for name, left, money in self._left():
            if left is not None and spent.tokens + tokens > left:
                said = f"{max(left - spent.tokens, 0):,} tokens are left, {tokens:,} more would be embedded"
            elif money is not None and (spent.tokens + tokens) * price / 1e6 > money:
                over = max(money - spent.tokens * price / 1e6, 0.0)
                said = f"{over:.4f} is left, embedding the next texts costs {tokens * price / 1e6:.4f}"
            else:
                continue
            raise LimitReached(f"limits.{name}: {said}; this run has embedded {spent.tokens:,} tokens")

    def settle(self, spent: Spent) -> None:
        """Write to the ledger what the run has embedded."""
        if spent.texts:
            name = str(getattr(self._model, "model", "") or self._model.type)
            money = None if self._price is None else spent.tokens * self._price / 1e6
            with suppress(StorageError):
                use = Use("ingestion", "", name, "embed", spent.texts, spent.tokens, 0, money)
                usage.record(self._catalog.engine, [use])

    def _left(self) -> list[tuple[str, int | None, float | None]]:
        """By limit, the tokens and the money that a run may take, None for any amount."""
        run, day = self._limits.per_ingestion, self._limits.per_day
        found = [("per_ingestion", run.tokens, run.money)]
        if day.tokens is not None or day.money is not None:
            spent = usage.spent(self._catalog.engine, usage.today())
            tokens = None if day.tokens is None else day.tokens - spent.tokens
            found.append(("per_day", tokens, None if day.money is None else day.money - spent.money))
        return found

"""What an ingestion may cost, and what it has cost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from pipelines.catalog import Catalog, usage
from pipelines.catalog.usage import Use
from pipelines.errors import LimitReached, Refused, StorageError
from pipelines.ingestion.embed import Spent
from pipelines.ingestion.plan import Plan
from pipelines.schema import PipelineSpec

if TYPE_CHECKING:
    from pipelines.components.llms import Price
    from pipelines.models.counted import Call


class Allowance:
    """The limits of one ingestion; models that run here cost nothing and have none."""

    def __init__(self, spec: PipelineSpec, catalog: Catalog) -> None:
        self._limits, self._catalog = spec.limits, catalog
        self._model = spec.embed_model
        self._price: float | None = getattr(spec.embed_model, "price", None)
        self._free = self._price == 0
        self._llm_price: Price | None = getattr(spec.llm, "price", None)
        priced = self._llm_price
        self._llm_free = priced is not None and not priced.input and not priced.output
        self.spent = Spent()
        """What this run has embedded; its embedder counts it."""
        self._calls: dict[tuple[str, str], list[int]] = {}
        self._asked = [0, 0]
        """Tokens that an LLM was sent, those of calls that are not answered yet among them, and wrote."""
        self._asking = threading.Lock()

    def agree(self, plan: Plan) -> None:
        """Refuse a plan that would pass a limit, by its estimate; raises Refused. Nothing was changed."""
        embedded = 0 if self._free else plan.tokens
        sent, got = (0, 0) if self._llm_free else (plan.calls.sent, plan.calls.written)
        needed, cost = embedded + sent + got, embedded * (self._price or 0.0) / 1e6 + self._cost(sent, got)
        what = "embedded or read by the model" if sent else "embedded"
        doing = "embedding and reading" if sent else "embedding"
        for name, tokens, money in self._left() if needed else ():
            if tokens is not None and needed > tokens:
                said = f"{max(tokens, 0):,} tokens are left, and about {needed:,} would be {what}"
            elif money is not None and cost > money:
                said = f"{max(money, 0.0):.4f} is left, and {doing} would cost about {cost:.4f}"
            else:
                continue
            raise Refused(f"limits.{name}: {said}; raise the limit, or ingest fewer documents")

    def before(self, spent: Spent, tokens: int) -> None:
        """Let so many tokens be embedded, after those of the same run; raises LimitReached."""
        self.spent = spent
        if not self._free:
            self._check(
                tokens, tokens * (self._price or 0.0) / 1e6, "would be embedded", "embedding the next texts"
            )

    def before_call(self, tokens: int) -> None:
        """Let a prompt of so many tokens be sent to the LLM; raises LimitReached."""
        with self._asking:
            if not self._llm_free:
                self._check(tokens, self._cost(tokens, 0), "would be sent to the model", "the next call")
            self._asked[0] += tokens

    def called(self, call: Call, reserved: int) -> None:
        """Count a call that has ended, for which so many tokens were let go."""
        with self._asking:
            self._asked[0] += call.tokens_in - reserved
            self._asked[1] += call.tokens_out
            sums = self._calls.setdefault((call.model, call.purpose), [0, 0, 0])
            for place, more in enumerate((1, call.tokens_in, call.tokens_out)):
                sums[place] += more

    def settle(self) -> float:
        """Write to the ledger what the run has embedded, and what it has asked an LLM; the money of it."""
        uses = list(self._uses())
        with suppress(StorageError):
            usage.record(self._catalog.engine, uses)
        return sum(use.money or 0.0 for use in uses)

    def _uses(self) -> Iterator[Use]:
        if self.spent.texts:
            name = str(getattr(self._model, "model", "") or self._model.type)
            money = None if self._price is None else self.spent.tokens * self._price / 1e6
            yield Use("ingestion", "", name, "embed", self.spent.texts, self.spent.tokens, 0, money)
        for (model, purpose), (calls, sent, got) in self._calls.items():
            money = None if self._llm_price is None else self._cost(sent, got)
            yield Use("ingestion", "", model, purpose, calls, sent, got, money)

    def _check(self, tokens: int, cost: float, what: str, doing: str) -> None:
        """Raise LimitReached where so many tokens more would pass a limit."""
        sent, got = (0, 0) if self._llm_free else self._asked
        embedded = 0 if self._free else self.spent.tokens
        used, paid = embedded + sent + got, embedded * (self._price or 0.0) / 1e6 + self._cost(sent, got)
        for name, left, money in self._left():
            if left is not None and used + tokens > left:
                said = f"{max(left - used, 0):,} tokens are left, {tokens:,} more {what}"
            elif money is not None and paid + cost > money:
                said = f"{max(money - paid, 0.0):.4f} is left, {doing} costs {cost:.4f}"
            else:
                continue
            read = (
                f", and {sum(self._asked):,} were sent to and written by the model"
                if sum(self._asked)
                else ""
            )
            raise LimitReached(
                f"limits.{name}: {said}; this run has embedded {self.spent.tokens:,} tokens{read}"
            )

    def _cost(self, sent: int, got: int) -> float:
        return 0.0 if self._llm_price is None else self._llm_price.of(sent, got)

    def _left(self) -> list[tuple[str, int | None, float | None]]:
        """By limit, the tokens and the money that a run may take, None for any amount."""
        run, day = self._limits.per_ingestion, self._limits.per_day
        found = [("per_ingestion", run.tokens, run.money)]
        if day.tokens is not None or day.money is not None:
            spent = usage.spent(self._catalog.engine, usage.today())
            tokens = None if day.tokens is None else day.tokens - spent.tokens
            found.append(("per_day", tokens, None if day.money is None else day.money - spent.money))
        return found

"""Calls of the LLM beside the query engines: counted, limited and written to the ledger like questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelines.errors import SearchaskError
from pipelines.querying.metering import Meter
from pipelines.querying.trace import Trace

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from pipelines.components.llms import Price
    from pipelines.models.counted import Call
    from pipelines.schema import PipelineSpec


class Counting:
    """The config's LLM; each call counts as a question of its own."""

    def __init__(self, spec: PipelineSpec, meter: Meter | None) -> None:
        """Raises SearchaskError where the LLM can't be built."""
        assert spec.llm is not None
        self._llm: LLM = spec.llm.build()
        self._price: Price | None = getattr(spec.llm, "price", None)
        self._meter = meter
        self.calls: list[Call] = []

    def ask(self, system: str, user: Callable[[int], str], *, purpose: str, about: str, reserved: int) -> str:
        """A whole reply; `user` makes the prompt that fits so many tokens. Raises EndpointError, LimitReached."""
        from pipelines.models.counted import CountedLLM

        trace, meter = Trace(purpose, "", "", about), self._meter
        before = (lambda tokens: meter.before_call(trace, tokens)) if meter else (lambda tokens: None)
        llm = CountedLLM(self._llm, before=before)
        trace.calls = llm.calls
        try:
            return llm.ask(system, user(llm.room(reserved, system)), purpose=purpose)
        except SearchaskError:
            raise
        except Exception as error:  # client libraries raise what they like
            raise llm.failure(error) from error
        finally:
            self.calls += llm.calls
            if meter is not None:
                meter.settle(purpose, llm.calls, 0)

    @property
    def told(self) -> str:
        """What all calls together took."""
        sent = sum(call.tokens_in for call in self.calls)
        got = sum(call.tokens_out for call in self.calls)
        line = f"{len(self.calls)} calls of the model, {sent:,} tokens sent, {got:,} written"
        if self._price is None:
            return line + "; the config gives no price"
        return line + f", {self._price.of(sent, got):.4f} paid"

"""What every embed model has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import Field, PrivateAttr

from pipelines.spec import Spec, fingerprint

if TYPE_CHECKING:
    from pipelines.models.adapter import Adapter
    from pipelines.models.embedder import Embedder

BatchSize = Annotated[int, Field(gt=0, le=2048)]
Concurrency = Annotated[int, Field(gt=0, le=64)]


class Model(Spec):
    """What every embed model can.

    An adapter moves questions only. So it is no part of `key`, by which vectors of passages are kept: they are the
    same with it, without it and with another one, and no edit of it embeds anything again. It is a part of
    `question_identity`, by which what was measured (a calibration, a run of `eval`) is known to be outdated.
    """

    adapter: str = ""
    """File that `searchask finetune embedding` writes, relative to the file that says so: it moves the vectors of
    questions towards the passages that answer them. Those of passages stay as they are; nothing is embedded again."""

    operational: ClassVar[frozenset[str]] = frozenset({"adapter"})
    _held: Adapter | None = PrivateAttr(default=None)

    @property
    def key(self) -> str:
        """The fingerprint of the model and the options that change the vectors of passages."""
        return fingerprint("embed", self.identity())

    @property
    def held(self) -> Adapter | None:
        """The adapter, once it is read from its file."""
        return self._held

    def holding(self, adapter: Adapter | None) -> Self:
        """The same model with an adapter, or without one."""
        model = self.model_copy()
        model._held = adapter
        return model

    def question_identity(self) -> dict[str, Any]:
        """What decides the vectors of questions: the model, and the content of its adapter, wherever that lies."""
        return {**self.identity(), **({"adapter": self._held.content} if self._held else {})}

    def embedder(self) -> Embedder:
        """The model, ready to embed many texts safely."""
        from pipelines.models.embedder import embedder

        return embedder(self)

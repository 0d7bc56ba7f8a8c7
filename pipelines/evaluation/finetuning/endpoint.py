"""OpenAI's fine-tuning API, behind the endpoint and the key of a config's `llm`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from pipelines.components.llms import OpenAILikeLLM, OpenAILLM
from pipelines.errors import EndpointError, SearchaskError
from pipelines.models.endpoint import CallFailed, endpoint_error, shown, status_of
from pipelines.models.openai import OPENAI_URL, openai_key, own_key, secrets_of

FINAL = frozenset({"succeeded", "failed", "cancelled"})
"""States that a job does not leave."""
_EVENTS = 20
_LOOKED_THROUGH = 100
"""Jobs of an endpoint that are looked through for one."""
_MISSING = frozenset({404, 405, 501})

T = TypeVar("T")


class _Told(BaseModel):
    """What an endpoint says; what it says beside that is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Fault(_Told):
    """Why a job failed."""

    message: str | None = None


class State(_Told):
    """A job as its endpoint tells it."""

    id: str = Field(min_length=1)
    status: str = Field(min_length=1)
    model: str = ""
    fine_tuned_model: str | None = None
    trained_tokens: int | None = None
    finished_at: int | None = None
    training_file: str = ""
    error: Fault | None = None


class Event(_Told):
    """Something that happened in a job."""

    created_at: int = 0
    level: str = ""
    message: str = ""


class _File(_Told):
    id: str = Field(min_length=1)


class FineTuning:
    """The API; every method raises EndpointError, in which there is never a key."""

    def __init__(self, llm: Any) -> None:
        """Take the endpoint of an `llm`; raises SearchaskError where it is none that speaks this API."""
        if not isinstance(llm, OpenAILLM | OpenAILikeLLM):
            raise SearchaskError(
                "fine-tuning needs an `llm` of type openai or openai_like in the config: its endpoint and its key "
                "are used"
            )
        self._spec = llm
        openai = isinstance(llm, OpenAILLM)
        self._key: SecretStr = openai_key(llm.api_key) if openai else own_key(llm.api_key)
        self._new_form = openai
        self._address = llm.base_url or OPENAI_URL
        self._client: Any = None

    @property
    def url(self) -> str:
        """Its address, without what may be secret in it."""
        return shown(self._address)

    def upload(self, name: str, content: bytes) -> str:
        """Upload examples; the id of the file."""
        answer = self._asked(lambda api: api.files.create(file=(name, content), purpose="fine-tune"))
        return self._read(_File, answer).id

    def create(self, *, model: str, train: str, validation: str, epochs: int | None, suffix: str) -> State:
        """Start a job; it is asked for once, since a second request could start a second job."""
        more: dict[str, Any] = {"validation_file": validation} if validation else {}
        more |= {"suffix": suffix} if suffix else {}
        if epochs:
            # OpenAI calls `hyperparameters` old; most compatible endpoints know nothing else.
            wish = {"n_epochs": epochs}
            method = {"type": "supervised", "supervised": {"hyperparameters": wish}}
            more |= {"method": method} if self._new_form else {"hyperparameters": wish}
        answer = self._asked(
            lambda api: api.with_options(max_retries=0).fine_tuning.jobs.create(
                model=model, training_file=train, **more
            ),
            model=model,
        )
        return self._read(State, answer)

    def retrieve(self, job: str) -> State:
        """A job as it is now."""
        return self._read(State, self._asked(lambda api: api.fine_tuning.jobs.retrieve(job), job))

    def events(self, job: str) -> list[Event]:
        """What happened last in a job, the newest first."""
        page = self._asked(lambda api: api.fine_tuning.jobs.list_events(job, limit=_EVENTS), job)
        return self._all(Event, page)

    def cancel(self, job: str) -> State:
        """Stop a job."""
        return self._read(State, self._asked(lambda api: api.fine_tuning.jobs.cancel(job), job))

    def started_with(self, file: str) -> State | None:
        """The job, of the newest ones, that trains on an uploaded file."""
        page = self._asked(lambda api: api.fine_tuning.jobs.list(limit=_LOOKED_THROUGH))
        return next((state for state in self._all(State, page) if state.training_file == file), None)

    def _asked(self, call: Callable[[Any], T], job: str = "", *, model: str = "") -> T:
        from openai import OpenAI

        if self._client is None:
            self._client = OpenAI(
                api_key=self._key.get_secret_value(),
                base_url=self._address,
                timeout=self._spec.timeout,
                max_retries=self._spec.retries,
            )
        try:
            return call(self._client)
        except Exception as error:
            failure = self._failure(error, job, model)
        raise failure

    def _failure(self, error: Exception, job: str, model: str) -> EndpointError:
        status = status_of(error)
        if status in _MISSING and getattr(error, "code", None) != "model_not_found":
            if job:
                return CallFailed(
                    f"{self.url}: there is no job {job} here, or no fine-tuning at all ({status})", status
                )
            return CallFailed(
                f"{self.url}: this endpoint offers no fine-tuning ({status}); set `llm` to one that does",
                status,
            )
        if isinstance(error, AttributeError | KeyError | TypeError | ValueError):
            return self._nonsense()
        secrets = secrets_of(self._key)
        return endpoint_error(error, url=self._address, model=model or "fine-tuning", secrets=secrets)

    def _read(self, kind: type[_Read], answer: Any) -> _Read:
        try:
            return kind.model_validate(answer.to_dict(warnings=False))
        except (ValidationError, AttributeError, TypeError, ValueError):
            failure = self._nonsense()
        raise failure

    def _all(self, kind: type[_Read], page: Any) -> list[_Read]:
        rows = getattr(page, "data", None)
        if not isinstance(rows, list):
            raise self._nonsense()
        return [self._read(kind, row) for row in rows]

    def _nonsense(self) -> CallFailed:
        return CallFailed(
            f"{self.url}: the answer is not what the fine-tuning API says: is this the right base_url?", 200
        )


_Read = TypeVar("_Read", bound=_Told)

"""Fine-tuning jobs: submitted once, remembered under the storage, looked after until they end."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from pipelines.catalog.database import explained
from pipelines.config import Config
from pipelines.errors import EndpointError, Refused, StorageError
from pipelines.evaluation.finetuning.endpoint import FINAL, Event, FineTuning, State
from pipelines.evaluation.finetuning.examples import ExampleFile
from pipelines.models.endpoint import CallFailed

SENT = "sent"
"""State of a job that was asked for while nobody heard the answer."""
_PATIENCE = 5.0
"""Seconds to wait for another submit of the same storage."""


class Job(BaseModel):
    """A job as it is remembered."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    """Empty as long as the endpoint has not told it."""
    status: str
    """As the endpoint told it last: `validating_files`, `queued`, `running`, `succeeded`, `failed`, `cancelled`."""
    url: str
    model: str
    """The model that is trained further."""
    train: str
    """Path of the file, as it was named."""
    train_digest: str
    train_file: str
    """Its id at the endpoint."""
    validation: str = ""
    validation_digest: str = ""
    validation_file: str = ""
    epochs: int | None = None
    suffix: str = ""
    submitted: float
    """Seconds since 1970."""
    finished: float | None = None
    tuned: str = ""
    """The model that came of it."""
    tokens: int | None = None
    """That were paid for."""
    error: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in FINAL

    def now(self, state: State) -> Job:
        """The same job in a newer state."""
        told = {
            "id": state.id,
            "status": state.status,
            "finished": state.finished_at,
            "tuned": state.fine_tuned_model or "",
            "tokens": state.trained_tokens,
            "error": (state.error.message if state.error else "") or "",
        }
        return self.model_copy(update=told)


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be submitted."""

    train: ExampleFile
    validation: ExampleFile | None
    model: str
    epochs: int | None = None
    """None leaves it to the endpoint."""
    suffix: str = ""

    def job(self, url: str) -> Job:
        """The job before anything was sent."""
        held = self.validation
        return Job(
            id="",
            status=SENT,
            url=url,
            model=self.model,
            train=str(self.train.path),
            train_digest=self.train.digest,
            train_file="",
            validation=str(held.path) if held else "",
            validation_digest=held.digest if held else "",
            epochs=self.epochs,
            suffix=self.suffix,
            submitted=time.time(),
        )


_SAME = ("url", "model", "train_digest", "validation_digest", "epochs", "suffix")
_Jobs = TypeAdapter(list[Job])


class Desk:
    """Takes orders for one storage and keeps its jobs."""

    def __init__(self, config: Config) -> None:
        """Raises SearchaskError where the config has no endpoint for it."""
        self._endpoint = FineTuning(config.spec.llm)
        self._storage = config.storage
        self._file = config.storage / "finetuning.json"

    @property
    def url(self) -> str:
        """The endpoint's address."""
        return self._endpoint.url

    def submit(self, order: Order, *, again: bool = False) -> Job:
        """Upload the files and start a job; raises Refused where the same was submitted before."""
        with self._held():
            job = order.job(self.url)
            jobs = [kept for each in self._jobs() if (kept := self._found(each, job))]
            twin = next((each for each in reversed(jobs) if _same(each, job)), None)
            if twin is not None and not again:
                self._write(jobs)
                if not twin.ended:
                    with suppress(EndpointError):
                        twin = self._replace(twin.now(self._endpoint.retrieve(twin.id)))
                if twin.status not in ("failed", "cancelled"):
                    raise Refused(
                        f"{order.train.path} was submitted with the same options at {_moment(twin.submitted)}: job "
                        f"{twin.id}, {twin.status}. Nothing was sent; --again pays for it a second time"
                    )
                jobs = self._jobs()
            files = {"train_file": self._endpoint.upload(order.train.path.name, order.train.content)}
            if order.validation:
                name, content = order.validation.path.name, order.validation.content
                files["validation_file"] = self._endpoint.upload(name, content)
            return self._started(order, [*jobs, job.model_copy(update=files)])

    def _started(self, order: Order, jobs: list[Job]) -> Job:
        """Note the job, which is the last, then start it: a job that nobody remembers would be paid for twice."""
        *others, job = jobs
        self._write(jobs)
        try:
            state = self._endpoint.create(
                model=order.model,
                train=job.train_file,
                validation=job.validation_file,
                epochs=order.epochs,
                suffix=order.suffix,
            )
        except CallFailed as error:
            if error.status is not None and 400 <= error.status < 500:  # it said no
                self._write(others)
                raise
            failure = CallFailed(
                f"{error}\nWhether the job was started is not known; `searchask finetune status` looks for it",
                error.status,
            )
        else:
            started = job.now(state)
            self._write([*others, started])
            return started
        raise failure

    def jobs(self) -> tuple[list[Job], dict[str, str]]:
        """All jobs as they are now, the newest last, and by id why one could not be asked for."""
        with self._held():
            errors: dict[str, str] = {}
            found = []
            for job in self._jobs():
                try:
                    found += [kept] if (kept := self._refreshed(job)) else []
                except CallFailed as error:
                    if error.status in (None, 401, 403):  # it is the same for all of them
                        raise
                    errors[job.id] = str(error)
                    found.append(job)
            self._write(found)
        return found, errors

    def look(self, job: str) -> tuple[Job | None, State, list[Event]]:
        """A job as it is remembered and as its endpoint tells it now, with its newest events."""
        state = self._endpoint.retrieve(job)
        return self._noted(state), state, self._endpoint.events(job)

    def cancel(self, job: str) -> State:
        """Stop a job."""
        state = self._endpoint.cancel(job)
        self._noted(state)
        return state

    def _noted(self, state: State) -> Job | None:
        with self._held():
            known = next(
                (each for each in self._jobs() if each.id == state.id and each.url == self.url), None
            )
            return known and self._replace(known.now(state))

    def _refreshed(self, job: Job) -> Job | None:
        """The job as it is now; None for one that was never started."""
        if job.ended or job.url != self.url:
            return job
        if not job.id:
            return self._found(job, job)
        return job.now(self._endpoint.retrieve(job.id))

    def _found(self, job: Job, like: Job) -> Job | None:
        """A job; where nobody heard its id and it is like another, looked for. None where it was never started."""
        if job.id or not _same(job, like):
            return job
        state = self._endpoint.started_with(job.train_file)
        return job.now(state) if state else None

    def _replace(self, job: Job) -> Job:
        self._write([job if (each.id, each.url) == (job.id, job.url) else each for each in self._jobs()])
        return job

    def _jobs(self) -> list[Job]:
        return remembered(self._storage)

    def _write(self, jobs: list[Job]) -> None:
        data: list[Any] = _Jobs.dump_python(jobs, exclude_defaults=True)
        with explained(self._storage):
            part = self._file.with_name(f".{self._file.name}.{os.getpid()}.part")
            part.write_text(
                json.dumps(data, ensure_ascii=False, indent=1), encoding="utf-8", errors="replace"
            )
            part.replace(self._file)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """Let no other process of this storage submit or note anything meanwhile."""
        with explained(self._storage):
            self._storage.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._storage / "finetuning.lock")
            try:
                lock.acquire(timeout=_PATIENCE)
            except Timeout:  # is an OSError too
                raise StorageError(
                    f"{self._storage}: another `searchask finetune` is at work; wait for it"
                ) from None
        try:
            yield
        finally:
            lock.release()


def remembered(storage: Path) -> list[Job]:
    """The jobs that were submitted for a storage, as they were last seen; raises StorageError."""
    file = storage / "finetuning.json"
    try:
        return _Jobs.validate_json(file.read_bytes())
    except FileNotFoundError:
        return []
    except (OSError, ValidationError):
        raise StorageError(f"{file}: can't be read as a list of jobs: move it away") from None


def _same(one: Job, other: Job) -> bool:
    return all(getattr(one, name) == getattr(other, name) for name in _SAME)


def _moment(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))

"""Ask all questions of a set as an engine answers them; what is asked is kept, whatever happens."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from pipelines.config import Config
from pipelines.describe import explain
from pipelines.errors import EndpointError, LimitReached, SearchaskError
from pipelines.evaluation import runs
from pipelines.evaluation.asking import Asker, Judged, Judging
from pipelines.evaluation.gold import Gold
from pipelines.evaluation.judge import Judge
from pipelines.evaluation.outcomes import Judgement, Outcome
from pipelines.evaluation.questions import Question
from pipelines.evaluation.runs import Header, Run
from pipelines.ingestion.fingerprints import embed_key, generation_key, graph_key, parse_key
from pipelines.ingestion.run import stop_on_signals
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.metering import settled
from pipelines.querying.trace import Trace
from pipelines.spec import fingerprint
from pipelines.text.language import answered_in

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.querying.engine import QueryEngine

WORKERS = 8
"""Questions asked at once of endpoints elsewhere; what runs here gains nothing by it."""
HOPELESS = 10
"""Failures, with no answer among them, after which the other questions are not tried."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    done: int
    count: int
    failed: int
    resumed: int
    """Outcomes that were there when it began."""


Report = Callable[[Progress], None]


def evaluate(
    config: Config,
    questions: Sequence[Question],
    *,
    source: str,
    engine: str = "",
    judge: bool = True,
    workers: int = 0,
    fresh: bool = False,
    kept: Path | None = None,
    again: bool = True,
    report: Report = lambda progress: None,
    stopped: Callable[[], bool] | None = None,
) -> Run:
    """Ask all questions, or those that are left of a run that did not come to its end.

    `source` is what the set is called. `workers`: questions at once; 0 chooses. `fresh` begins anew in any case.
    `kept`: the storage that keeps the run; the config's own by default. `again`: measure anew what was measured to
    its end; else that run is given. Ctrl-C stops it after the questions in hand, and what was asked is kept. Raises
    SearchaskError, StorageError.
    """
    if workers < 0:
        raise SearchaskError(f"--workers {workers}: how many questions at once; 0 chooses")
    with KnowledgeBase(config) as base:
        asked = base.engine(engine)
        judging = _judging(asked) if judge else None
        gold = Gold(base.index.catalog)
        header = _header(base, asked, questions, source, gold, judged=judging is not None)
        storage = kept or config.storage
        run = None if fresh else runs.find(storage, header.key, done=not again)
        if run is not None and run.header.state == "done":
            return run
        run = run or runs.begin(storage, header, questions)
        with runs.alone(run):
            run.change(state="running", why="", notes=header.notes)
            with stop_on_signals() if stopped is None else nullcontext(stopped) as wanted:
                why = _Round(run, Asker(asked, judging), gold, report, wanted).go(workers or _workers(asked))
            finished = len(run.pairs) == len(run.questions)
            state = "done" if finished else "stopped"
            run.change(state=state, why=why, finished=time.time())
    return run


class _Round:
    """The questions of a run that are still to be asked."""

    def __init__(
        self, run: Run, asker: Asker, gold: Gold, report: Report, stopped: Callable[[], bool]
    ) -> None:
        self._run, self._asker, self._gold = run, asker, gold
        self._report, self._stopped = report, stopped
        kept = {key for key, outcome in run.outcomes.items() if outcome.outcome != "failed"}
        self._left = [question for question in run.measured if question.id not in kept]
        self._resumed = len(kept)
        self._done = self._failed = self._answered = 0

    def go(self, workers: int) -> str:
        """Ask them; why it stopped before the end, or nothing."""
        self._tell()
        waiting = iter(self._left)
        flying: set[Future[Outcome]] = set()
        why = ""
        with ThreadPoolExecutor(workers) as pool:
            while True:
                why = why or self._reason()
                while not why and len(flying) < workers and (question := next(waiting, None)) is not None:
                    spans, gone = self._gold.spans(question)
                    flying.add(pool.submit(self._asker.ask, question, spans, gone))
                if not flying:
                    return why
                landed, flying = wait(flying, timeout=0.2, return_when=FIRST_COMPLETED)
                for each in landed:
                    why = why or self._land(each)

    def _reason(self) -> str:
        if self._stopped():
            return "interrupted"
        if self._failed >= HOPELESS and not self._answered:
            errors = [each.error for each in self._run.outcomes.values() if each.outcome == "failed"]
            return f"{self._failed} questions failed, and none was answered: {errors[-1]}"
        return ""

    def _land(self, future: Future[Outcome]) -> str:
        try:
            outcome = future.result()
        except LimitReached as error:
            return str(error)
        self._run.add(outcome.model_copy(update={"alone": self._run.header.alone}))
        self._done += 1
        self._failed += outcome.outcome == "failed"
        self._answered += outcome.outcome not in ("failed", "refused")  # a refusal may need no model
        self._tell()
        return ""

    def _tell(self) -> None:
        self._report(
            Progress(self._resumed + self._done, len(self._run.questions), self._failed, self._resumed)
        )


def _workers(engine: QueryEngine) -> int:
    """Many at once where a model elsewhere does the work."""
    remote = engine.writes or hasattr(engine.pipeline.embed_model, "base_url")
    return WORKERS if remote else 1


def _judging(engine: QueryEngine) -> Judging | None:
    """The config's LLM as a judge, counted as the engine counts its own calls; None where there is none."""
    if engine.pipeline.llm is None:
        return None

    def judge(question: Question, outcome: Outcome) -> Judged:
        trace = Trace(engine.name, engine.spec.retriever, answered_in(question.text), question.text)
        llm = engine.counted(trace)
        assert llm is not None
        trace.calls = llm.calls
        found: dict[str, Judgement] = {}
        error = ""
        try:
            with settled(engine.meter, engine.name, trace):
                found.update(
                    Judge(llm).judgements(question, outcome, trace.language)
                )  # those before an error stay
        except EndpointError as failure:
            error = str(failure)
        return Judged(found, llm.calls, error)

    return judge


def _header(
    base: KnowledgeBase,
    engine: QueryEngine,
    questions: Sequence[Question],
    source: str,
    gold: Gold,
    *,
    judged: bool,
) -> Header:
    config, index = base.config, base.index
    prints = fingerprints(config, engine.name)
    active = index.catalog.generations.active()
    documents = index.catalog.documents(active.id) if active else []
    asked = fingerprint([question.to_dict() for question in questions])
    alone = not config.spec.loaders
    drift = gold.drift([each.without_documents for each in questions] if alone else questions)
    key = fingerprint(prints, asked, judged, active and active.id, index.catalog.version())
    return Header(
        id=runs.new_id(engine.name),
        key=key,
        started=time.time(),
        config=str(config.path),
        engine=engine.name,
        effective={row.key: row.value for row in explain(config)},
        fingerprints={**prints, "questions": asked},
        alone=alone,
        documents=sum(bool(row.content) for row in documents),
        chunks=sum(row.chunks for row in documents),
        questions=source,
        count=len(questions),
        judge=str(getattr(config.spec.llm, "model", "")) if judged else "",
        versions={name: _version(name) for name in ("searchask", "llama-index-core", "chromadb")}
        | {"python": platform.python_version()},
        notes={"en": tuple(drift.told("en")), "zh": tuple(drift.told("zh"))},
    )


def fingerprints(config: Config, engine: str) -> dict[str, str]:
    """What a measurement depends on, per stage."""
    spec = config.spec
    return {
        "load": fingerprint(sorted((name, loader.identity()) for name, loader in spec.loaders.items())),
        "parse": parse_key(spec),
        "embed": embed_key(spec),
        "adapter": spec.embed_model.held.content if spec.embed_model.held else "",
        "index": generation_key(spec),
        "graph": graph_key(spec),
        "engine": fingerprint(
            spec.query_engines[engine].identity(),
            {name: retriever.identity() for name, retriever in spec.retrievers.items()},
            spec.llm.identity() if spec.llm else None,
            spec.prompts.identity(),
            spec.language,
        ),
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

"""The Documents tab: what an ingestion would do, what past ones did, what is indexed, and what to look after."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.catalog import Catalog, DocumentRow
from pipelines.catalog.jobs import Job
from pipelines.config import Config
from pipelines.errors import Refused
from pipelines.ingestion.fingerprints import generation_key
from pipelines.ingestion.guards import guard, indexed, vanishing
from pipelines.ingestion.plan import ACTIONS, Plan
from pipelines.ingestion.planning import make_plan
from pipelines.ingestion.progress import alive
from pipelines.page import labels
from pipelines.page.labels import label, moment, reason
from pipelines.page.table import Table
from pipelines.words import Language, Words

LISTED = 500
"""Rows of a table, at most."""
_NAMED = 50
"""Documents named by a question."""
_JOBS = 50

_DOCUMENT = Words("document", "文档")
_LOADER = Words("loader", "加载器")
_ACTION = Words("action", "操作")
_REASON = Words("reason", "原因")
_STATE = Words("state", "状态")
_STAGE = Words("stage", "阶段")
_SECONDS = Words("seconds", "秒")
_CHUNKS = Words("chunks", "分块")
_TOKENS = Words("tokens", "token")
_ERROR = Words("error", "错误")
_FINDING = Words("finding", "问题")
_JOB = Words("job", "任务")
_STARTED = Words("started", "开始")
_OUTCOME = Words("outcome", "结果")
_DONE = Words("done", "完成")
_FAILED = Words("failed", "失败")
_WRITTEN = Words("written", "写入")
_REMOVED = Words("removed", "移除")
_ENCODING = Words("encoding", "编码")

_MORE = Words("and {count} more: narrow the filter to see them", "另有 {count} 行：请缩小筛选范围")
_NO_DOCUMENTS = Words("no documents", "没有文档")
_TO_EMBED = Words(
    "about {tokens:,} tokens to embed, less what the cache holds",
    "约需向量化 {tokens:,} 个 token，缓存中已有的除外",
)
_TO_READ = Words(
    "About {calls:,} calls of the llm for the graph ({tokens:,} tokens), less what the cache holds",
    "约需调用语言模型 {calls:,} 次构建图谱（{tokens:,} 个 token），缓存中已有的除外",
)
_PAID = Words("; {cost:.4f} by its price", "；按其价格合 {cost:.4f}")
_COST = Words("{estimate}; {cost:.4f} at {price} per million", "{estimate}；每百万 {price}，合 {cost:.4f}")
_SECOND = Words(
    "A second index is built beside the one that answers now; questions go to it once it is complete.",
    "将在现有索引旁建立第二个索引，完成之后提问才转到新索引。",
)
_BACK = Words(
    "The index that was built with this config before is complete: questions go back to it.",
    "此前用这个配置建立的索引是完整的：提问将转回该索引。",
)
_VANISH = Words(
    "{count} of {known} indexed documents are gone. Remove them from the index?",
    "已入库的 {known} 个文档中有 {count} 个已消失。要从索引中移除吗？",
)
_EMPTIED = Words(
    "No document was found by {loaders}; a drive may be missing. Empty the index ({known} documents)?",
    "{loaders} 没有找到任何文档，可能是磁盘未挂载。要清空索引（{known} 个文档）吗？",
)
_NOTHING = Words(
    "No document was found by {loaders}: add files, or check path and include in the config.",
    "{loaders} 没有找到任何文档：请添加文件，或检查配置中的 path 和 include。",
)


@dataclass(frozen=True, slots=True)
class Listing:
    """A table of at most `LISTED` rows, and a line that says how many more there are."""

    table: Table
    more: str = ""


@dataclass(frozen=True, slots=True)
class Vanishing:
    """What an ingestion refuses to do without being told, as a question to a person."""

    question: str
    names: list[str]
    """What would be removed, fifty at most."""
    more: str
    can_go_on: bool
    """Whether a yes makes sense; where not, `question` says what is missing."""


@dataclass(frozen=True, slots=True)
class PlanView:
    """What an ingestion would do."""

    counts: str
    actions: list[tuple[str, str]]
    """Label with count, and raw value, of the actions that occur: choices of a filter."""
    listing: Listing
    estimate: str
    switches: str
    vanishing: Vanishing | None
    work: int
    """Documents that something would be done with."""


def plan_view(
    config: Config,
    catalog: Catalog | None,
    language: Language,
    *,
    action: str = "",
    text: str = "",
    retry_failed: bool = False,
) -> PlanView:
    """Scan the documents and say what an ingestion would do; raises SearchaskError where they can't be listed."""
    plan = make_plan(config, catalog, retry_failed=retry_failed)
    return view_of_plan(plan, config, language, action=action, text=text)


def view_of_plan(
    plan: Plan, config: Config, language: Language, *, action: str = "", text: str = ""
) -> PlanView:
    """A plan as the page shows it; without `action` (a raw value) all but the unchanged are listed."""
    counts = {each: number for each, number in plan.counts().items() if number}
    named = [(f"{label(labels.ACTIONS, each, language)} {counts[each]}", each) for each in counts]
    rows = (
        [label(labels.ACTIONS, one.action, language), one.path, one.loader, reason(one.reason, language)]
        for one in sorted(plan.changes, key=lambda one: ACTIONS.index(one.action))
        if (one.action == action if action else one.action != "unchanged")
    )
    head = [_ACTION, _DOCUMENT, _LOADER, _REASON]
    switches = (_SECOND if plan.work else _BACK).of(language) if plan.switches else ""
    return PlanView(
        counts=" · ".join(each for each, _ in named) or _NO_DOCUMENTS.of(language),
        actions=named,
        listing=_listing(head, rows, language, text),
        estimate=_estimate(plan, language),
        switches=switches,
        vanishing=_vanishing(plan, config, language),
        work=len(plan.work),
    )


def _estimate(plan: Plan, language: Language) -> str:
    return " ".join(filter(None, (_embedding(plan, language), _reading(plan, language))))


def _reading(plan: Plan, language: Language) -> str:
    calls, cost = plan.calls, plan.calls.cost(plan.llm_price)
    if not calls.number:
        return ""
    estimate = _TO_READ.of(language, calls=calls.number, tokens=calls.sent + calls.written)
    return f"{estimate}{_PAID.of(language, cost=cost)}" if cost else estimate


def _embedding(plan: Plan, language: Language) -> str:
    if not plan.tokens:
        return ""
    estimate = _TO_EMBED.of(language, tokens=plan.tokens)
    if not plan.price:
        return estimate
    cost = plan.tokens * plan.price / 1e6
    return _COST.of(language, estimate=estimate, cost=cost, price=plan.price)


def _vanishing(plan: Plan, config: Config, language: Language) -> Vanishing | None:
    try:
        guard(plan, config, allow_vanish=False)
    except Refused:
        gone, loaders = [change.path for change in vanishing(plan)], ", ".join(plan.empty)
        if any(change.action != "vanished" for change in plan.changes):
            question = _VANISH.of(language, count=len(gone), known=indexed(plan))
        else:
            question = (_EMPTIED if gone else _NOTHING).of(language, loaders=loaders, known=len(gone))
        return Vanishing(question, gone[:_NAMED], _more(len(gone) - _NAMED, language), bool(gone))
    return None


def job_history(catalog: Catalog | None, language: Language) -> Table:
    """The latest ingestions, newest first."""
    head = [_JOB, _STARTED, _OUTCOME, _DONE, _FAILED, _WRITTEN, _REMOVED, _SECONDS, _ERROR]
    jobs = catalog.jobs.latest(limit=_JOBS) if catalog else []
    return Table([each.of(language) for each in head], [_job(job, language) for job in jobs])


def _job(job: Job, language: Language) -> list[str]:
    told = job.summary
    documents, chunks = told.get("documents", {}), told.get("chunks", {})
    killed = job.outcome == "running" and job.host == socket.gethostname() and not alive(job.pid)
    numbers = [documents.get("done"), documents.get("failed"), chunks.get("written"), chunks.get("removed")]
    return [
        str(job.id),
        moment(job.started),
        label(labels.OUTCOMES, "interrupted" if killed else job.outcome, language),
        *("" if each is None else str(each) for each in (*numbers, told.get("seconds"))),
        str(told.get("error", "")),
    ]


def job_documents(catalog: Catalog | None, job: int, language: Language, *, text: str = "") -> Listing:
    """What one ingestion did, document by document, those that failed first."""
    head = [_DOCUMENT, _ACTION, _STAGE, _SECONDS, _CHUNKS, _ERROR]
    found = catalog.jobs.documents(job) if catalog else []
    rows = (
        [
            one.document,
            label(labels.ACTIONS, one.action, language),
            label(labels.STAGES, one.stage, language),
            f"{one.seconds:.2f}",
            str(one.chunks),
            reason(one.error, language),
        ]
        for one in sorted(found, key=lambda one: not one.error)
    )
    return _listing(head, rows, language, text)


def documents_view(
    catalog: Catalog | None, language: Language, *, text: str = "", state: str = ""
) -> Listing:
    """The documents of the index that answers now; `state` is a raw value."""
    head = [_DOCUMENT, _LOADER, _STATE, _CHUNKS, _TOKENS, _ENCODING, _ERROR]
    active = catalog.generations.active() if catalog else None
    found = catalog.documents(active.id) if catalog and active else []
    encodings = catalog.encodings() if catalog and found else {}
    rows = (
        [
            row.path,
            row.loader,
            label(labels.STATES, row.state, language),
            str(row.chunks),
            str(row.tokens),
            encodings.get(row.load, ""),
            reason(row.error, language),
        ]
        for row in found
        if not state or row.state == state
    )
    return _listing(head, rows, language, text)


_NO_CHUNKS = Words("nothing of it is in the index", "索引中没有它的内容")


def findings(config: Config, catalog: Catalog | None, language: Language, *, text: str = "") -> Listing:
    """What a person should look after in the index of this config: failures first, then notes of the readers."""
    head = [_DOCUMENT, _LOADER, _STATE, _FINDING]
    generations = catalog.generations if catalog else None
    chosen = generations and (generations.find(generation_key(config.spec)) or generations.active())
    found = catalog.documents(chosen.id) if catalog and chosen else []
    notes = catalog.notes() if catalog and found else {}
    rows = (
        [row.path, row.loader, label(labels.STATES, row.state, language), finding]
        for row in sorted(found, key=lambda row: row.state == "done")
        for finding in _of_document(row, notes.get(row.load, ()), language)
    )
    return _listing(head, rows, language, text)


def _of_document(row: DocumentRow, notes: Sequence[str], language: Language) -> list[str]:
    if row.state in ("failed", "quarantined"):
        return [reason(row.error, language)]
    if row.state == "done" and not row.chunks:
        return [_NO_CHUNKS.of(language)]
    return [reason(note, language) for note in notes]


def _listing(head: Sequence[Words], rows: Iterable[list[str]], language: Language, text: str = "") -> Listing:
    """The rows that hold a text, so many that a page can show them."""
    wanted = text.strip().casefold()
    fitting = [row for row in rows if not wanted or any(wanted in cell.casefold() for cell in row)]
    table = Table([each.of(language) for each in head], fitting[:LISTED])
    return Listing(table, _more(len(fitting) - LISTED, language))


def _more(count: int, language: Language) -> str:
    return _MORE.of(language, count=count) if count > 0 else ""

"""How far an ingestion is, or how the last one ended, as the page shows it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pipelines.ingestion.progress import Finished, Progress
from pipelines.page import labels
from pipelines.page.labels import duration, label, reason
from pipelines.page.table import Table
from pipelines.page.worker import State
from pipelines.words import Language, Words

_DOCUMENT = Words("document", "文档")
_STAGE = Words("stage", "阶段")
_SECONDS = Words("seconds", "秒")
_CHUNKS = Words("chunks", "分块")
_ERROR = Words("error", "错误")
_STARTING = Words("starting", "正在启动")
_COMPARING = Words("comparing the documents with the index", "正在比较文档与索引")
_OF = Words("{done} of {total} documents", "{done} / {total} 个文档")
_AND_FAILED = Words("{count} failed", "{count} 个失败")
_LEFT = Words("about {time} left", "约剩 {time}")
_STOPPING = Words("stopping after the documents in hand", "处理完手头的文档后停止")
_FINISHING = Words("finishing", "正在收尾")
_ALL_DONE = Words("{done} documents done", "已完成 {done} 个文档")
_WRITTEN = Words("{written} chunks written, {removed} removed", "写入 {written} 个分块，移除 {removed} 个")


@dataclass(frozen=True, slots=True)
class ProgressView:
    """How far an ingestion is, or how the last one ended."""

    running: bool
    share: float
    """0 to 1."""
    headline: str
    in_hand: Table
    finished: Table
    """The last ones, failures first."""


def progress_view(state: State, language: Language) -> ProgressView:
    """How far an ingestion is, or how the last one that this page started ended."""
    progress = state.progress if state.kind == "running" else None
    hand = [
        [one.document, label(labels.STAGES, one.stage, language), f"{max(0.0, time.time() - one.since):.0f}"]
        for one in (progress.in_hand if progress else ())
    ]
    last: tuple[Finished, ...] = (*progress.failures, *progress.finished) if progress else ()
    ended = [
        [one.document, f"{one.seconds:.2f}", str(one.chunks), reason(one.error, language)] for one in last
    ]
    share, parts = 0.0, []
    if state.kind == "ended":
        share, parts = float(state.outcome in ("done", "failed")), _how_it_ended(state, language)
    elif progress is not None:
        share, parts = _how_far(progress, language)
    elif state.kind == "running":
        parts = [_STARTING.of(language)]
    return ProgressView(
        running=state.kind == "running",
        share=share,
        headline=("，" if language == "zh" else ", ").join(parts),
        in_hand=Table([each.of(language) for each in (_DOCUMENT, _STAGE, _SECONDS)], hand),
        finished=Table([each.of(language) for each in (_DOCUMENT, _SECONDS, _CHUNKS, _ERROR)], ended),
    )


def _how_far(progress: Progress, language: Language) -> tuple[float, list[str]]:
    if not progress.job:
        return 0.0, [_COMPARING.of(language)]
    ended, total = progress.done + progress.failed, progress.total
    parts = [_OF.of(language, done=ended, total=total)]
    if progress.failed:
        parts.append(_AND_FAILED.of(language, count=progress.failed))
    if progress.stopping:
        parts.append(_STOPPING.of(language))
    elif ended >= total:
        parts.append(_FINISHING.of(language))
    elif ended:
        left = (time.time() - progress.began) / ended * (total - ended)
        parts.append(_LEFT.of(language, time=duration(left, language)))
    return (min(1.0, ended / total) if total else 1.0), parts


def _how_it_ended(state: State, language: Language) -> list[str]:
    parts = [label(labels.OUTCOMES, state.outcome, language)]
    if documents := state.summary.get("documents"):
        parts.append(_ALL_DONE.of(language, done=documents["done"]))
        if documents["failed"]:
            parts.append(_AND_FAILED.of(language, count=documents["failed"]))
        chunks = state.summary["chunks"]
        parts.append(_WRITTEN.of(language, written=chunks["written"], removed=chunks["removed"]))
        parts.append(duration(state.summary["seconds"], language))
    return [*parts, *filter(None, [state.message])]

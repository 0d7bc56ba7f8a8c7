"""Why a document is not among the evidence of an answer, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.page.labels import reason
from pipelines.page.table import Table
from pipelines.querying.why_not import DEPTH, Reach, Where, WhyNot
from pipelines.words import Language, Words

_SAID: Mapping[Where, Words] = {
    "not in index": Words(
        "{document} is not in the index. The plan tells whether a loader finds it; ingest to take it in.",
        "{document} 不在索引中。“计划”会显示加载器能否找到它；入库后才可检索。",
    ),
    "failed": Words(
        "{document} could not be ingested, so nothing of it can be found: {error}",
        "{document} 入库失败，因此无法检索：{error}",
    ),
    "quarantined": Words(
        "{document} can't be used as it is, and is left alone until it changes: {error}",
        "{document} 当前无法使用，在其内容改变之前不再处理：{error}",
    ),
    "not found": Words(
        "No retriever found {document} among its best passages.", "没有检索器在其最佳片段中找到 {document}。"
    ),
    "below top_k": Words(
        "{retriever} ranked the best passage of {document} at {rank} and passes on {top_k}.",
        "{retriever} 将 {document} 的最佳片段排在第 {rank} 位，而只保留前 {top_k} 个。",
    ),
    "dropped": Words(
        "The best passage of {document}, at rank {rank}, was dropped by a postprocessor: {fate}.",
        "{document} 的最佳片段排在第 {rank} 位，被后处理去除：{fate}。",
    ),
    "not read": Words(
        "A passage of {document}, at rank {rank}, was chosen, but the model's context window was full.",
        "{document} 的片段（第 {rank} 位）已入选，但模型的上下文已满。",
    ),
    "in context": Words(
        "A passage of {document}, at rank {rank}, is given to the writer of the answer.",
        "{document} 的片段（第 {rank} 位）已交给回答生成。",
    ),
    "not cited": Words(
        "A passage of {document}, at rank {rank}, was given to the writer, but the answer cites nothing of it.",
        "{document} 的片段（第 {rank} 位）已交给回答生成，但回答没有引用它。",
    ),
    "cited": Words(
        "The answer cites {document}, its passage at rank {rank}.",
        "回答引用了 {document}（第 {rank} 位的片段）。",
    ),
}
_DROPPED: Mapping[str, Words] = {
    "below cutoff": Words(
        "The best passage of {document}, at rank {rank}, scored {score}, below the cutoff.",
        "{document} 的最佳片段（第 {rank} 位）得分 {score}，低于阈值。",
    ),
    "over budget": Words(
        "The best passage of {document}, at rank {rank}, did not fit the token budget any more.",
        "{document} 的最佳片段（第 {rank} 位）超出了 token 预算。",
    ),
    "duplicate": Words(
        "The best passage of {document}, at rank {rank}, says the same as one that ranks above it.",
        "{document} 的最佳片段（第 {rank} 位）与排名更靠前的片段重复。",
    ),
    "no evidence": Words(
        "No passage showed a sign of an answer, so all were dropped; that of {document} was at rank {rank}.",
        "没有片段显示出答案的迹象，因此全部去除；{document} 的片段排在第 {rank} 位。",
    ),
}
_OLD_VERSION = Words(
    "Its latest version is not in the index; the one before answers: {error}",
    "其最新版本未能入库，目前使用的是旧版本：{error}",
)
_NEAR = Words(
    "{retriever} takes the {top_k} passages nearest in meaning; this document comes to number {rank} (cosine {score}).",
    "{retriever} 取语义最接近的 {top_k} 个片段；本文档最佳片段排第 {rank} 位（余弦相似度 {score}）。",
)
_FAR = Words(
    "{retriever} takes the {top_k} passages nearest in meaning; "
    "this document comes beyond number {depth} (cosine {score}).",
    "{retriever} 取语义最接近的 {top_k} 个片段；本文档最佳片段在 {depth} 名之外（余弦相似度 {score}）。",
)
_NO_WORD = Words(
    "{retriever}: no passage of the document holds a word of the question ({missing}).",
    "{retriever}：本文档没有片段含有问题中的词（{missing}）。",
)
_WORDS = Words(
    "{retriever} takes the {top_k} passages that match the question's words best; "
    "this document comes to number {rank}. The document holds: {held}. It lacks: {missing}.",
    "{retriever} 取与问题用词最匹配的 {top_k} 个片段；本文档最佳片段排第 {rank} 位。含有：{held}。缺少：{missing}。",
)
_FEW_WORDS = Words(
    "{retriever}: more than {depth} passages match the question's words better. "
    "The document holds: {held}. It lacks: {missing}.",
    "{retriever}：有超过 {depth} 个片段更匹配问题用词。含有：{held}。缺少：{missing}。",
)
_HEAD = Words(
    "Retriever|Asked for|Best rank|Score|Words held|Words missing",
    "检索器|取前|最佳名次|得分|含有的词|缺少的词",
)
_BEYOND = Words("beyond {depth}", "{depth} 名之外")
_NONE = Words("none", "无")
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class WhyNotView:
    """The stage in a sentence, what each retriever made of the document, and the same as a table."""

    sentence: str
    details: tuple[str, ...]
    table: Table


def why_not_view(found: WhyNot, language: Language) -> WhyNotView:
    """What to say of a document and a question."""
    words = _DROPPED.get(found.fate, _SAID["dropped"]) if found.where == "dropped" else _SAID[found.where]
    values = {
        "document": found.document,
        "error": reason(found.error, language),
        "retriever": found.retriever,
        "rank": found.rank,
        "top_k": found.top_k,
        "fate": found.fate,
        "score": _score(found.score),
    }
    details = []
    if found.error and found.where not in ("failed", "quarantined"):
        details.append(_OLD_VERSION.of(language, error=reason(found.error, language)))
    if found.where in ("not found", "below top_k"):
        details += [_detail(reach, language) for reach in found.reach]
    rows = [_row(reach, language) for reach in found.reach]
    return WhyNotView(
        words.of(language, **values), tuple(details), Table(_HEAD.of(language).split("|"), rows)
    )


def _detail(reach: Reach, language: Language) -> str:
    if reach.kind == "vector":
        words = _NEAR if reach.rank else _FAR
    elif reach.rank:
        words = _WORDS
    else:
        words = _FEW_WORDS if reach.held else _NO_WORD
    return words.of(
        language,
        retriever=reach.retriever,
        top_k=reach.top_k,
        rank=reach.rank,
        depth=DEPTH,
        score=_score(reach.score),
        held=_listed(reach.held, language),
        missing=_listed(reach.missing, language),
    )


def _row(reach: Reach, language: Language) -> list[str]:
    nowhere = reach.kind == "keyword" and not reach.held
    beyond = _NONE.of(language) if nowhere else _BEYOND.of(language, depth=DEPTH)
    return [
        reach.retriever,
        str(reach.top_k),
        str(reach.rank) if reach.rank else beyond,
        _score(reach.score),
        " ".join(reach.held[:_MOST_SHOWN]),
        " ".join(reach.missing[:_MOST_SHOWN]),
    ]


def _score(score: float | None) -> str:
    return "" if score is None else f"{score:.3f}"


def _listed(words: tuple[str, ...], language: Language) -> str:
    if not words:
        return _NONE.of(language)
    more = " …" if len(words) > _MOST_SHOWN else ""
    return ("、" if language == "zh" else ", ").join(words[:_MOST_SHOWN]) + more

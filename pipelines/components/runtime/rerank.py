"""Passages put in a better order: by the config's LLM, or by any reranker of LlamaIndex."""

from __future__ import annotations

import contextvars
import inspect
import threading
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from pydantic import PrivateAttr

from pipelines.components.runtime.consulting import DATA, block, consulted, room, tongue_of
from pipelines.components.runtime.fence import fenced
from pipelines.components.runtime.inquiry import Inquiry, asked
from pipelines.components.runtime.judgements import order, rating
from pipelines.errors import EndpointError, SearchaskError
from pipelines.words import Words

PASSAGE_TOKENS = 400
"""Tokens of a passage that the LLM is shown."""
LEAST_TOKENS = 40
"""Where fewer are left for each, only the first passages are judged."""

_UNRANKED = Words(
    "rerank_llm: the model ranked nothing; the order stays as it was",
    "rerank_llm：模型没有给出排序，保持原有顺序",
)
_UNRATED = Words(
    "rerank_llm: {count} of {all} passages got no rating",
    "rerank_llm：{all} 个段落中有 {count} 个没有得到评分",
)
_LEFT = Words("rerank: {cause}; the order stays as it was", "rerank：{cause}；保持原有顺序")
_NONE = Words("it returned none of the passages", "没有返回任何段落")
_FORM = {
    "listwise": {
        "zh": "资料在 <passage> 标签里，各有编号。只输出编号，最有用的在前，例如 [2] > [1] > [3]。",
        "en": "The passages stand in <passage> tags, each with its number. Write the numbers only, the most useful "
        "first, like [2] > [1] > [3].",
    },
    "pointwise": {
        "zh": "资料在 <passage> 标签里。只输出一个 0 到 10 的整数：0 毫无关系，10 直接回答了问题。",
        "en": "The passage stands in <passage> tags. Write one whole number from 0 to 10 only: 0 is unrelated, 10 "
        "answers the question directly.",
    },
}


class Judged(BaseNodePostprocessor):
    """Passages in the order that the LLM gives them; those that it says nothing of keep theirs."""

    mode: str
    instructions: dict[str, str]
    judged: int
    top_n: int

    @abstractmethod
    def _sorted(self, nodes: Sequence[NodeWithScore], inquiry: Inquiry) -> list[NodeWithScore]:
        """All of the passages, the best first."""

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        inquiry = asked(query_bundle)
        head, rest = nodes[: self.judged], nodes[self.judged :]
        return [*(self._sorted(head, inquiry) if head else []), *rest][: self.top_n]

    def _system(self, inquiry: Inquiry) -> str:
        tongue = tongue_of(inquiry)
        return "\n".join([self.instructions[tongue], _FORM[self.mode][tongue], DATA[tongue]])


class Listwise(Judged):
    """All passages in one call."""

    def _sorted(self, nodes: Sequence[NodeWithScore], inquiry: Inquiry) -> list[NodeWithScore]:
        if len(nodes) < 2:
            return list(nodes)
        system, question = self._system(inquiry), block("question", inquiry.query_str)
        left = room(inquiry, "rerank_llm", system, question)
        shown = nodes[: max(1, left // LEAST_TOKENS)]
        size = min(PASSAGE_TOKENS, left // len(shown))
        passages = [fenced(number, hit, size) for number, hit in enumerate(shown, 1)]
        said = consulted(inquiry, "rerank_llm", system, "\n\n".join([*passages, question]))
        if said is None:
            return list(nodes)
        first = order(said, len(shown))
        if not first:
            inquiry.note(_UNRANKED)
        return [nodes[place] for place in first] + [
            hit for place, hit in enumerate(nodes) if place not in first
        ]


class Pointwise(Judged):
    """A call for each passage; one without a plain rating keeps its place."""

    min_rating: float

    def _sorted(self, nodes: Sequence[NodeWithScore], inquiry: Inquiry) -> list[NodeWithScore]:
        system, question = self._system(inquiry), block("question", inquiry.query_str)
        size = min(PASSAGE_TOKENS, room(inquiry, "rerank_llm", system, question))
        ratings: dict[int, float] = {}
        for place, hit in enumerate(nodes):
            said = consulted(inquiry, "rerank_llm", system, f"{fenced(1, hit, size)}\n\n{question}")
            if said is None:  # it would fail for the others too
                break
            if (value := rating(said)) is not None:
                ratings[place] = value
        if len(ratings) < len(nodes):
            unrated = len(nodes) - len(ratings)
            inquiry.note(_UNRATED, count=unrated, all=len(nodes))
        best = iter(sorted(ratings, key=lambda place: -ratings[place]))
        order = [next(best) if place in ratings else place for place in range(len(nodes))]
        return [nodes[place] for place in order if ratings.get(place, self.min_rating) >= self.min_rating]


class Reranked(BaseNodePostprocessor):
    """The order and the scores of another reranker, which sees the texts only."""

    path: str
    top_n: int
    timeout: float
    _kind: type[BaseNodePostprocessor] = PrivateAttr()
    _args: dict[str, Any] = PrivateAttr()
    _made: BaseNodePostprocessor | None = PrivateAttr(default=None)

    def __init__(
        self, kind: type, path: str, args: Mapping[str, Any], top_n: int, timeout: float = 60.0
    ) -> None:
        """Raises `SearchaskError` where the class is no reranker or refuses its arguments."""
        super().__init__(path=path, top_n=top_n, timeout=timeout)
        if not issubclass(kind, BaseNodePostprocessor):
            raise SearchaskError(f"class {path!r} is no reranker: it must derive from BaseNodePostprocessor")
        fitting = inspect.signature(kind).parameters.keys()
        # Cohere's would try ten times, for 100 seconds; what its client tries again by itself is enough.
        fits = {name: value for name, value in (("top_n", top_n), ("max_retries", 1)) if name in fitting}
        self._kind, self._args = kind, {**fits, **args}
        if not wants_llm(kind, path, self._args):
            self._made = made(kind, path, self._args)

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if not nodes:
            return []
        inquiry = asked(query_bundle)
        reranker = self._made
        if reranker is None:
            llm = inquiry.model(f"`rerank` by {self.path}")
            reranker = made(self._kind, self.path, {**self._args, "llm": llm})
        # What was noted of a passage would be read as a part of it.
        plain = [NodeWithScore(node=_plain(hit), score=hit.score) for hit in nodes]
        query = QueryBundle(inquiry.query_str)
        try:
            if self._made is not None:
                ranked = within(self.timeout, lambda: reranker.postprocess_nodes(plain, query_bundle=query))
            else:
                with inquiry.model("rerank").used_for("rerank"):
                    ranked = reranker.postprocess_nodes(plain, query_bundle=query)
        except SearchaskError as error:
            if not isinstance(error, EndpointError):
                raise
            return self._left(nodes, inquiry, str(error))
        except Exception as error:  # client libraries raise what they like
            return self._left(nodes, inquiry, _cause(error, self.path, self._args))
        known = {hit.node.node_id: hit for hit in nodes}
        found = [
            NodeWithScore(node=known[hit.node.node_id].node, score=hit.score)
            for hit in ranked
            if hit.node.node_id in known
        ]
        if not found:
            return self._left(nodes, inquiry, _NONE.of(inquiry.language))
        return found[: self.top_n]

    def _left(self, nodes: Sequence[NodeWithScore], inquiry: Inquiry, cause: str) -> list[NodeWithScore]:
        inquiry.note(_LEFT, cause=cause)
        return list(nodes[: self.top_n])


def _plain(hit: NodeWithScore) -> TextNode:
    header = str(hit.node.metadata.get("table_header") or "")
    heading = str(hit.node.metadata.get("heading") or "")
    text = "\n".join(part for part in (heading, header, hit.node.get_content()) if part)
    return TextNode(id_=hit.node.node_id, text=text)


def within(seconds: float, call: Callable[[], list[NodeWithScore]]) -> list[NodeWithScore]:
    """What a call returns or raises; TimeoutError where it takes longer, and nobody waits for it any more."""
    ended: list[list[NodeWithScore] | Exception] = []

    def run() -> None:
        try:
            ended.append(call())
        except Exception as error:  # raised again where it is waited for
            ended.append(error)

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), daemon=True, name="searchask-rerank")
    thread.start()
    thread.join(seconds)
    if not ended:
        raise TimeoutError
    if isinstance(ended[0], Exception):
        raise ended[0]
    return ended[0]


def _cause(error: Exception, path: str, args: Mapping[str, Any]) -> str:
    from pipelines.models.endpoint import endpoint_error, status_of
    from pipelines.models.others import secret_values

    name = path.rpartition(".")[2]
    # What libraries meet that look for a ranking in whatever an endpoint answered.
    if status_of(error) in (None, 200) and isinstance(
        error, (LookupError, AttributeError, TypeError, ValueError)
    ):
        return f"{name}: the answer holds no ranking; check its key, its model and its address"
    return str(endpoint_error(error, url="", model=name, secrets=secret_values(dict(args))))


def made(kind: type[BaseNodePostprocessor], path: str, args: Mapping[str, Any]) -> BaseNodePostprocessor:
    """A postprocessor of LlamaIndex; raises `SearchaskError` without the values of its arguments."""
    from pydantic import ValidationError

    from pipelines.models.endpoint import redacted
    from pipelines.models.others import secret_values

    try:
        return kind(**args)
    except ValidationError as error:
        # Its own text repeats the input, which may hold a key.
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    except KeyError as error:  # of a variable that is not set
        wrong = f"there is no {error.args[0] if error.args else 'key'}; give it, or the argument for it"
    except Exception as error:
        wrong = (
            " ".join(redacted(str(error), secret_values(dict(args))).split())[:300] or type(error).__name__
        )
    raise SearchaskError(f"{path} refused its args: {wrong}")


def wants_llm(kind: type, path: str, args: Mapping[str, Any]) -> bool:
    """Whether a class would take LlamaIndex's global LLM if it got none; raises `SearchaskError` for an embed model."""
    lacking = inspect.signature(kind).parameters.keys() - args.keys()
    if "embed_model" in lacking:
        raise SearchaskError(
            f"{path} needs an embed_model, which a config can't give it: use `compress` or `mmr`"
        )
    return "llm" in lacking


class Late(BaseNodePostprocessor):
    """A postprocessor of LlamaIndex that is made for each question, since it works with the question's LLM."""

    path: str
    _kind: type[BaseNodePostprocessor] = PrivateAttr()
    _args: dict[str, Any] = PrivateAttr()

    def __init__(self, kind: type[BaseNodePostprocessor], path: str, args: Mapping[str, Any]) -> None:
        super().__init__(path=path)
        self._kind, self._args = kind, dict(args)

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        llm = asked(query_bundle).model(self.path)
        with llm.used_for("postprocess"):
            return made(self._kind, self.path, {**self._args, "llm": llm}).postprocess_nodes(
                nodes, query_bundle=query_bundle
            )

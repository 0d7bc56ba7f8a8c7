"""Passages in a prompt: numbered, between tags that their own text can't close, and cut to what fits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePosixPath

from llama_index.core.schema import NodeWithScore

from pipelines.text.disarmed import disarmed, unmarked
from pipelines.text.tokens import count_tokens

NO_ANSWER = "NO_ANSWER"
"""What the LLM is to write where the passages hold no answer."""

CODE = frozenset(
    "py js ts tsx jsx java kt scala c h cc cpp hpp cs go rs swift rb php pl lua r sh sql ipynb".split()
)
"""Endings of files in which `name[1]` is no citation."""

LEAST = 50
"""Tokens that a passage must be given to be worth sending."""

LONGEST_TOKEN = 20
"""Characters of a token that are reckoned with; only white space has longer ones."""


def fenced(number: int, hit: NodeWithScore, limit: int | None = None, mark: str = "") -> str:
    """A passage with its number and origin, between tags; cut to `limit` tokens, tags included.

    `mark` makes the tags' name one that no document can know.
    """
    metadata = hit.node.metadata
    origin = " · ".join(str(part) for part in (metadata.get("document"), metadata.get("heading")) if part)
    origin = re.sub(r"[\s\"<>]+", " ", unmarked(unfenced(origin)))[:200]
    header = metadata.get("table_header") or ""
    body = f"{header}\n{hit.node.get_content()}" if header else hit.node.get_content()
    body = unfenced(unmarked(body, code=is_code(str(metadata.get("document") or ""))))
    tag = tag_of(mark)
    opening, closing = f'<{tag} number="{number}" source="{origin}">\n', f"\n</{tag}>"
    if limit is not None:
        body = cut(body, limit - count_tokens(opening + closing))
    return opening + body + closing


def tag_of(mark: str) -> str:
    """Name of the tags around passages."""
    return f"passage-{mark}" if mark else "passage"


def unfenced(text: str) -> str:
    """Text in which nothing looks like a fence, a turn of a conversation, or the sign for no answer."""
    return disarmed(text).replace(NO_ANSWER, "NO ANSWER")


def is_code(path: str) -> bool:
    """Whether a document is source code, by its name."""
    return PurePosixPath(path.lower()).suffix.lstrip(".") in CODE


def cut(text: str, limit: int) -> str:
    """As much of the beginning of a text as `limit` tokens hold."""
    if count_tokens(text) <= limit:
        return text
    low, high = 0, min(len(text), max(0, limit) * LONGEST_TOKEN)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if count_tokens(text[:middle]) <= limit else (low, middle - 1)
    return text[:low]


def fitting(nodes: Sequence[NodeWithScore], budget: int, mark: str = "") -> dict[int, str]:
    """The passages that fit `budget` tokens together, fenced, by position; the best one is cut where it must be."""
    taken: dict[int, str] = {}
    for position, hit in enumerate(nodes):
        block = fenced(position + 1, hit, budget if not taken else None, mark)
        size = count_tokens(block) + 2
        if size <= budget or not taken:
            taken[position] = block
            budget -= size
    return taken


def each_fitting(nodes: Sequence[NodeWithScore], budget: int, mark: str = "") -> dict[int, str]:
    """All passages, fenced, by position, each cut to `budget` tokens."""
    return {position: fenced(position + 1, hit, budget, mark) for position, hit in enumerate(nodes)}

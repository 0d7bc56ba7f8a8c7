"""`searchask similarity`: how similar texts are to the embed model of a config."""

from __future__ import annotations

import argparse
from pathlib import Path

from pipelines.commands.terminal import printable, say, say_json, table
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.evaluation.similarity import Similarity, compare

MOST_TEXTS = 200
"""Each is a request of its own where the model is remote."""
_WIDEST = 12
"""Texts whose cosines are printed as a matrix; of more, only JSON shows all."""
_NAME = 30
"""Characters of a text that stand in the table."""


def similarity_command(args: argparse.Namespace) -> int:
    """Compare texts of the command line, and those of a file, one a line."""
    texts = [" ".join(text.split()) for text in [*args.texts, *(_lines(args.texts_file))] if text.strip()]
    if len(texts) < 2:
        raise SearchaskError(
            'compare what? searchask similarity FILE "one text" "another", or --file texts.txt'
        )
    if len(texts) > MOST_TEXTS:
        raise SearchaskError(f"{len(texts):,} texts; at most {MOST_TEXTS:,} can be compared at once")
    model = load_config(args.file).spec.embed_model
    found = compare(model.embedder(), texts, getattr(model, "price", None))
    if args.json:
        say_json(_as_json(found))
    else:
        _show(found)
    return 0


def _lines(file: str | None) -> list[str]:
    if file is None:
        return []
    try:
        return Path(file).read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise SearchaskError(f"{file}: can't be read as UTF-8: {error}") from None


def _as_json(found: Similarity) -> dict[str, object]:
    return {
        "model": found.model,
        "dimension": found.dimension,
        "texts": found.texts,
        "cosines": [[round(cosine, 4) for cosine in row] for row in found.cosines],
        "tokens": found.tokens,
        "cost": found.cost,
    }


def _show(found: Similarity) -> None:
    names = [text if len(text) <= _NAME else text[: _NAME - 1] + "…" for text in found.texts]
    if len(names) <= _WIDEST:
        numbers = [str(number) for number in range(1, len(names) + 1)]
        rows = [
            (number, name, tokens, *(f"{cosine:.4f}" for cosine in row))
            for number, name, tokens, row in zip(numbers, names, found.tokens, found.cosines, strict=True)
        ]
        table(["", "text", "tokens", *numbers], rows, right=(0, *range(2, len(numbers) + 3)))
    else:
        say(f"{len(names)} texts; --json prints all cosines")
    one, other = found.closest
    said = f"{names[one]} · {names[other]}: {found.cosines[one][other]:.4f}"
    say(f"closest: {printable(said)}")
    cost = "no price is set" if found.cost is None else "free" if not found.cost else f"{found.cost:.8f}"
    say(f"{printable(found.model)}, {found.dimension} dimensions, {sum(found.tokens):,} tokens, cost: {cost}")

"""Cutting: our `sentence` parser against `SentenceSplitter`, at 512 tokens and an overlap of 64."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tests.bench.measure import Row, alternate, in_process, tell
from tests.bench.texts import ENGLISH, chinese_drawn, chinese_source, english_folder, repeated

_MEGABYTES = 4


def ours(folder: str) -> dict[str, Any]:
    """The `sentence` parser over all documents of a folder."""
    from pipelines.components.node_parsers import SentenceParser
    from pipelines.text.tokens import encoding
    from tests.bench.stock import fake_model

    encoding()
    parser = SentenceParser(type="sentence", chunk_size=512, chunk_overlap=64).build(embed_model=fake_model)
    return _rate(parser, folder)


def theirs(folder: str) -> dict[str, Any]:
    """The stock splitter over the same."""
    from tests.bench.stock import splitter

    return _rate(splitter(512, 64), folder)


def _rate(parser: Any, folder: str) -> dict[str, Any]:
    from llama_index.core.schema import Document

    documents = [Document(text=file.read_text("utf-8")) for file in sorted(Path(folder).iterdir())]
    began = time.process_time()
    nodes = sum(len(parser.get_nodes_from_documents([document])) for document in documents)
    return {"chunks": nodes, "rate": nodes / (time.process_time() - began)}


def rows(work: Path) -> list[Row]:
    """English and Chinese."""
    english = sorted(english_folder(work / "english").iterdir())[:: 14 // _MEGABYTES]
    texts = [file.read_text("utf-8") for file in english]
    name, chinese = chinese_source()
    if sum(map(len, chinese)) < 200_000:
        name, chinese = f"sentences drawn from the words of {name}", list(chinese_drawn(400_000))
    return [
        _row("cutting English", ENGLISH, texts, work / "cut-en", 4.0),
        _row("cutting Chinese", name, chinese, work / "cut-zh", 1.3),
    ]


def _row(name: str, source: str, texts: list[str], folder: Path, target: float) -> Row:
    tell(name)
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:05}.txt").write_text(text, encoding="utf-8")
    mine, stock = alternate(3, lambda turn: in_process(ours, folder), lambda turn: in_process(theirs, folder))
    words, sentences = repeated(texts)
    of_words = f", of its words {words:.0%}" if words > 0.5 else ""
    ratio = mine["rate"] / stock["rate"]
    size = sum(len(text.encode()) for text in texts) / 1e6
    return Row(
        name,
        f"{mine['rate']:,.0f} chunks per CPU-second",
        f"{stock['rate']:,.0f} chunks per CPU-second",
        f"{ratio:.2f}×",
        f"≥ {target:g}×",
        ratio >= target,
        "Our `sentence` parser against `SentenceSplitter` with its defaults, both 512/64, over "
        f"{size:.1f} MB: {source}. "
        f"Of its sentences {sentences:.0%} stood in it before{of_words}: the memo of token counts, empty at the start, "
        "lives on that. "
        f"Chunks cut: {mine['chunks']:,.0f} and {stock['chunks']:,.0f}. Median of 3 turns.",
    )

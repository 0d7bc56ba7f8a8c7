"""The texts that are measured on: real ones where there are enough, and what can be drawn from them."""

from __future__ import annotations

import random
import re
import sysconfig
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import ROOT

ENGLISH = "paragraphs of prose in the documentation strings of the installed packages, most of them once"
SHARED = ROOT.parent / "shared" / "data"
_CHINESE_SETS = ("dev-crud-news-zh", "dev-cmrc-wiki-zh")

_DOCSTRING = re.compile(r'(?:^|\n)[ \t]*[rRuU]?"""(.*?)"""', re.DOTALL)
_HAN = re.compile(r"[\u4e00-\u9fff]+")


def english_folder(folder: Path, files: int = 600, size: int = 14_000_000) -> Path:
    """Write English documents of equal size, once; a document's paragraphs come from one place."""
    if not folder.exists():
        folder.mkdir(parents=True)
        paragraphs = _paragraphs(size)
        for number in range(files):
            text, length = [], 0
            while length < size // files:
                text.append(next(paragraphs))
                length += len(text[-1]) + 2
            (folder / f"{number:03}.txt").write_text("\n\n".join(text), encoding="utf-8")
    return folder


def _paragraphs(size: int) -> Iterator[str]:
    """Paragraphs without end: all that there are, and then again in another order."""
    found = []
    seen: set[str] = set()
    for paragraph in _documentation():
        if paragraph not in seen:
            seen.add(paragraph)
            found.append(paragraph)
    yield from found
    again = random.Random(1)
    while True:
        again.shuffle(found)
        yield from found


def _documentation() -> Iterator[str]:
    for top in ("purelib", "stdlib"):
        place = Path(sysconfig.get_paths()[top])
        for file in sorted(place.rglob("*.py")):
            inside = file.relative_to(place).parts
            # The client of Kubernetes is generated, and says the same thing thousands of times.
            if "kubernetes" in inside or (top == "stdlib" and "site-packages" in inside):
                continue
            for match in _DOCSTRING.finditer(file.read_text("utf-8", "replace")):
                for piece in re.split(r"\n\s*\n", textwrap.dedent(match[1])):
                    paragraph = " ".join(piece.split())
                    if _is_prose(paragraph):
                        yield paragraph


def _is_prose(text: str) -> bool:
    letters = sum(character.isalpha() or character == " " for character in text)
    return len(text) > 60 and text[0].isupper() and text[-1] in ".:!?" and letters > 0.85 * len(text)


def repeated(texts: list[str]) -> tuple[float, float]:
    """The shares of words, and of sentences, that stood before in the same texts."""
    words = [word for text in texts for word in text.split()]
    sentences = [each for text in texts for each in re.split(r"(?<=[.!?。！？])\s*|\n+", text) if each]
    return 1 - len(set(words)) / len(words), 1 - len(set(sentences)) / len(sentences)


def chinese_source() -> tuple[str, list[str]]:
    """What the Chinese text is called, and its documents: news and encyclopedia, or the project's own guides."""
    if SHARED.is_dir():
        files = [file for name in _CHINESE_SETS for file in sorted((SHARED / name / "docs").iterdir())]
        return "Chinese news and Wikipedia (../shared/data)", [_decoded(file) for file in files]
    files = [*sorted((ROOT / "docs").glob("*.zh.md")), *ROOT.glob("README.zh.md")]
    return "the project's Chinese guides", [_decoded(file) for file in files]


def _decoded(file: Path) -> str:
    content = file.read_bytes()
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("gb18030", "replace")


def chinese_drawn(size: int, seed: int = 1) -> Iterator[str]:
    """Sentences of about `size` characters in all: words of the Chinese source by their frequency, new in their order.

    One word in ten is a rare one, two characters put together, since real text never ceases to bring new words.
    """
    import numpy as np
    import rjieba

    counts = Counter(
        word for text in chinese_source()[1] for word in rjieba.cut(text) if _HAN.fullmatch(word)
    )
    characters = sorted({character for word in counts for character in word})
    generator = np.random.default_rng(seed)
    rare = ["".join(pair) for pair in generator.choice(characters, (40_000, 2))]
    words = np.array([*counts, *rare], dtype=object)
    shares = np.array(list(counts.values())) / counts.total() * 0.9
    zipf = 1 / np.arange(1, len(rare) + 1)
    weights = np.concatenate([shares, zipf / zipf.sum() * 0.1])
    written = 0
    while written < size:
        drawn = generator.choice(words, 20_000, p=weights)
        for start in range(0, len(drawn), 20):
            part = drawn[start : start + 20]
            sentence = "".join(part[:7]) + "，" + "".join(part[7:13]) + "，" + "".join(part[13:]) + "。"
            written += len(sentence)
            yield sentence


def chinese_folder(folder: Path, characters: int) -> Path:
    """Write Chinese documents of about 4,000 characters each, in paragraphs."""
    folder.mkdir(parents=True)
    document: list[str] = []
    length = number = 0
    for sentence in chinese_drawn(characters):
        document.append(sentence + ("\n\n" if len(document) % 6 == 5 else ""))
        length += len(sentence)
        if length >= 4_000:
            (folder / f"{number:05}.txt").write_text("".join(document), encoding="utf-8")
            document, length, number = [], 0, number + 1
    return folder


def questions(folder: Path, count: int) -> list[str]:
    """Questions of 10 to 25 characters about what documents in a folder say, each about another one."""
    files = sorted(folder.iterdir())
    asked: list[str] = []
    for file in random.Random(2).sample(files, min(count, len(files))):
        clauses = [
            clause for clause in re.split(r"[，。\n]+", file.read_text("utf-8")) if 8 <= len(clause) <= 20
        ]
        asked.append(random.Random(len(asked)).choice(clauses) + "是什么？")
    return asked

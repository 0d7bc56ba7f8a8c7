"""How near an answer is to the gold answers: the best of them counts, and a refusal or a failure scores 0.

English is compared as by SQuAD's script (Rajpurkar et al. 2016, evaluate-v1.1.py), Chinese as by CMRC's (Cui et al.
2019, cmrc2018_evaluate.py): by gold answer, Chinese for one with Chinese characters, and for one without any letters
to a Chinese question.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from functools import cache
from typing import Any

from pipelines.evaluation.metrics.metric import Metric
from pipelines.evaluation.outcomes import Outcome
from pipelines.evaluation.questions import Question
from pipelines.extras import require

METRICS = (
    Metric("found@5", "retrieval", "a gold answer stands in one of the first 5 passages"),
    Metric("exact_match", "answers", "the answer is a gold answer, as SQuAD and CMRC compare them"),
    Metric(
        "f1",
        "answers",
        "words (English) or characters (Chinese) shared with a gold answer, as SQuAD and CMRC",
    ),
    Metric("contains", "answers", "a gold answer stands in the answer"),
    Metric("rouge_l", "answers", "longest common subsequence with a gold answer, F-measure"),
)

FOUND_CUT = 5
LONGEST = 20_000
"""Characters of a text that are compared; a model may write without end, and subsequences take quadratic time."""

_NOISE = re.compile(r"[\W_]+")
_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CMRC_HAN = re.compile("[\u4e00-\u9fa5]")
_CMRC_PUNCTUATION = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_TOKEN = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
)


def answers(question: Question, outcome: Outcome) -> dict[str, float]:
    """The metrics of an answerable question with gold answers; empty for any other."""
    if not question.answerable or not question.answers:
        return {}
    passages = sorted(outcome.passages, key=lambda passage: passage.rank)[:FOUND_CUT]
    found = float(any(contains(passage.text, question.answers) for passage in passages))
    if outcome.outcome in ("refused", "failed"):
        return {**{metric.name: 0.0 for metric in METRICS}, "found@5": found}
    said = outcome.plain[:LONGEST]
    golds = [gold[:LONGEST] for gold in question.answers]
    pairs = [(_is_chinese(gold, question), gold) for gold in golds]
    return {
        "found@5": found,
        "exact_match": max(float((cmrc_exact if zh else squad_exact)(said, gold)) for zh, gold in pairs),
        "f1": max((cmrc_f1 if zh else squad_f1)(said, gold) for zh, gold in pairs),
        "contains": float(contains(said, golds)),
        "rouge_l": max(rouge_l(said, gold) for gold in golds),
    }


def squad_exact(said: str, gold: str) -> bool:
    """Whether two texts are equal but for case, punctuation, articles and white space."""
    return _squad_words(said) == _squad_words(gold)


def squad_f1(said: str, gold: str) -> float:
    """F1 of the words of two texts, as bags."""
    one, other = _squad_words(said), _squad_words(gold)
    return _f1(sum((Counter(one) & Counter(other)).values()), len(one), len(other))


def cmrc_exact(said: str, gold: str) -> bool:
    """Whether two texts are equal but for case and punctuation."""
    return _cmrc_plain(said) == _cmrc_plain(gold)


def cmrc_f1(said: str, gold: str) -> float:
    """F1 of the longest run of characters and words that two texts share."""
    one, other = _cmrc_tokens(said), _cmrc_tokens(gold)
    shared = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    return _f1(shared.size, len(one), len(other))


def contains(text: str, golds: Iterable[str]) -> bool:
    """Whether a text contains one of the answers; case, width, space and punctuation aside."""
    plain = _plain(text)
    return any(_plain(gold) in plain for gold in golds if _plain(gold))


def rouge_l(said: str, gold: str) -> float:
    """ROUGE-L (Lin 2004) as F-measure; every Chinese character is a token, as every word is."""
    return float(_scorer().score(gold, said)["rougeL"].fmeasure)


class _Tokens:
    """What `rouge-score` calls a tokenizer; its own one drops all but `a` to `z` and digits."""

    def tokenize(self, text: str) -> list[str]:
        """Chinese characters and words."""
        return _TOKEN.findall(unicodedata.normalize("NFKC", text).lower())


@cache
def _scorer() -> Any:
    module = require("rouge_score.rouge_scorer", extra="evaluation", what="ROUGE-L")
    return module.RougeScorer(["rougeL"], tokenizer=_Tokens())


def _is_chinese(gold: str, question: Question) -> bool:
    letters = any(char.isalpha() for char in gold)
    return bool(_CMRC_HAN.search(gold)) or (question.language == "zh" and not letters)


def _f1(shared: int, said: int, gold: int) -> float:
    return 2 * shared / (said + gold) if shared else 0.0


def _squad_words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION)).split()


def _cmrc_plain(text: str) -> str:
    return text.lower().strip().translate(_CMRC_PUNCTUATION)


def _cmrc_tokens(text: str) -> Sequence[str]:
    """Chinese characters, and what NLTK makes of the text between them.

    The script cuts that into sentences before, by a model that would be downloaded; it differs for a full stop
    between two English sentences only.
    """
    words = require("nltk.tokenize", extra="evaluation", what="F1 of Chinese answers").word_tokenize
    found: list[str] = []
    for piece in re.split("([\u4e00-\u9fa5])", _cmrc_plain(text)):
        found += [piece] if _CMRC_HAN.fullmatch(piece) else words(piece, preserve_line=True)
    return found


def _plain(text: str) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).casefold())

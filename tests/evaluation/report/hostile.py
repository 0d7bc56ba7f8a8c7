"""Texts that try to break out of a page, in every place where a report holds text from elsewhere."""

from __future__ import annotations

from pipelines.evaluation.outcomes import Called, Cited, Judgement, Outcome, Passage, Said, Span
from pipelines.evaluation.questions import Evidence, Question
from pipelines.evaluation.runs import Run
from tests.evaluation.samples import run

TEXTS = (
    "<script>alert(1)</script>",
    '"><img src=https://evil.example/x onerror=alert(1)>',
    "</style><style>@import url(https://evil.example/y)</style>",
    "${alert(1)} {{ 7 * 7 }} {% raw %}",
    "]]> --> </details></script>",
    "invoice\u202etxt.exe\u2066hidden\u2069",
    "nul\x00 bell\x07 escape\x1b[31m half\ud800 end\ufffe",
    "javascript:alert(1)",
)


def hostile_run() -> Run:
    """Every text in every place, and an answer of a megabyte."""
    pairs = [_pair(f"q{number}{text}", text) for number, text in enumerate(TEXTS)]
    question = Question("long", "long", answers=("a",), documents=("d",))
    pairs.append((question, Outcome(id="long", outcome="answered", text="<b>" * 350_000)))
    whole = "".join(TEXTS)
    return run(
        pairs,
        config=whole,
        engine=whole,
        effective={whole: whole},
        fingerprints={whole: whole},
        judge=whole,
        versions={whole: whole},
        notes={"en": TEXTS, "zh": TEXTS},
        why=whole,
    )


def _pair(name: str, text: str) -> tuple[Question, Outcome]:
    question = Question(
        name, text, answers=(text,), documents=(text,), evidence=(Evidence(text, text),), language=text
    )
    passage = Passage(
        rank=1,
        node="n",
        document=text,
        heading=text,
        score=0.5,
        fate=text,
        ranks={text: 1},
        text=f"before {text} after",
        start=0,
        end=len(text) + 13,
        page=3,
    )
    outcome = Outcome(
        id=name,
        outcome="answered",
        text=text,
        error=text,
        sentences=(Said(text=text, citations=(1,), supported=False),),
        citations=(Cited(number=1, document=text, quote=text, start=0, end=4),),
        passages=(passage,),
        evidence=(Span(document=text, start=7, end=7 + len(text)),),
        stages={text: 1.0},
        calls=(Called(model=text, purpose=text, tokens_in=3, tokens_out=4),),
        judged={"grounded": Judgement(verdict=False, reply=text), text: Judgement(verdict=None, reply=text)},
        rewritten=text,
        seconds=0.1,
    )
    return question, outcome

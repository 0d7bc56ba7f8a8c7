from __future__ import annotations

import random

import pytest
import pytrec_eval

from pipelines.evaluation.metrics.retrieval import holds, ndcg, retrieval
from pipelines.evaluation.outcomes import Passage, Span
from pipelines.evaluation.questions import Evidence
from tests.evaluation.metrics.parts import outcome, question

TREC = {
    "hit@1": "success_1",
    "hit@5": "success_5",
    "hit@10": "success_10",
    "recall@1": "recall_1",
    "recall@5": "recall_5",
    "recall@10": "recall_10",
    "ndcg@10": "ndcg_cut_10",
}


def trec_eval(gold: list[str], ranked: list[str]) -> dict[str, float]:
    """What trec_eval itself says of one ranking."""
    asked = {"success.1,5,10", "recall.1,5,10", "ndcg_cut.10", "recip_rank"}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": dict.fromkeys(gold, 1)}, asked)
    run = {name: float(len(ranked) - place) for place, name in enumerate(ranked)}
    said = evaluator.evaluate({"q": run})["q"]
    return {ours: said[theirs] for ours, theirs in TREC.items()}


@pytest.mark.parametrize("seed", range(60))
def test_figures_are_those_of_trec_eval(seed: int) -> None:
    chance = random.Random(seed)
    names = [f"{number}.md" for number in range(40)]
    gold = chance.sample(names, chance.randint(1, 14))
    ranked = chance.sample(names, chance.randint(1, 40))
    found = retrieval(question(*gold, any_document=False), outcome(*ranked))
    assert {name: found[name] for name in TREC} == pytest.approx(trec_eval(gold, ranked))
    first_ten = trec_eval_mrr(gold, ranked[:10])
    assert found["mrr@10"] == pytest.approx(first_ten)


def trec_eval_mrr(gold: list[str], ranked: list[str]) -> float:
    run = {name: float(len(ranked) - place) for place, name in enumerate(ranked)}
    evaluator = pytrec_eval.RelevanceEvaluator({"q": dict.fromkeys(gold, 1)}, {"recip_rank"})
    return float(evaluator.evaluate({"q": run})["q"]["recip_rank"])


def test_figures_are_those_that_pytrec_eval_publishes() -> None:
    # The example in the README of github.com/cvangysel/pytrec_eval, by trec_eval.
    assert ndcg(["d2"], ["d3", "d1", "d2"], 1000) == 0.5
    assert ndcg(["d2", "d3"], ["d1", "d3", "d2"], 1000) == pytest.approx(0.6934264036172708, abs=1e-15)


def test_documents_stand_where_their_best_passage_does() -> None:
    found = retrieval(question("b.md"), outcome("a.md", "a.md", "a.md", "b.md", "b.md"))
    assert found["mrr@10"] == 0.5
    assert (found["hit@1"], found["hit@5"]) == (0, 1)


def test_one_of_several_documents_is_all_there_is_to_find() -> None:
    asked = question("a.md", "b.md", "c.md")
    found = retrieval(asked, outcome("x.md", "b.md"))
    assert (found["recall@1"], found["recall@5"]) == (0, 1)
    assert found["ndcg@10"] == pytest.approx(0.6309, abs=1e-4)
    assert retrieval(asked, outcome("b.md"))["ndcg@10"] == 1
    needs_all = retrieval(question("a.md", "b.md", any_document=False), outcome("x.md", "b.md"))
    assert (needs_all["hit@5"], needs_all["recall@5"]) == (1, 0.5)


def test_the_documents_of_the_evidence_are_gold_where_none_are_named() -> None:
    asked = question(evidence=(Evidence("a.md", "15 days"), Evidence("a.md", "paid")))
    assert retrieval(asked, outcome("b.md", "a.md"))["mrr@10"] == 0.5


def test_nothing_found_scores_nothing() -> None:
    spans = (Span(document="a.md", start=0, end=10),)
    found = retrieval(question("a.md"), outcome(evidence=spans))
    assert len(found) == 11
    assert set(found.values()) == {0.0}


def test_a_question_without_an_answer_or_without_gold_has_no_figures() -> None:
    assert retrieval(question("a.md", answerable=False), outcome("a.md")) == {}
    assert retrieval(question(), outcome("a.md")) == {}


@pytest.mark.parametrize(
    ("start", "end", "held"),
    [(0, 100, True), (50, 150, True), (51, 151, False), (90, 91, False), (200, 300, False)],
)
def test_a_passage_holds_a_span_by_half_of_its_characters(start: int, end: int, held: bool) -> None:
    passage = Passage(rank=1, node="1", document="a.md", start=start, end=end, score=1, fate="cited")
    assert holds(passage, Span(document="a.md", start=0, end=100)) is held
    assert not holds(passage, Span(document="b.md", start=0, end=100))


def test_evidence_is_looked_for_passage_by_passage() -> None:
    spans = (Span(document="a.md", start=110, end=150), Span(document="b.md", start=0, end=20))
    ranked = outcome("a.md", "c.md", "a.md", "c.md", "c.md", "b.md", evidence=spans)
    needs_all = retrieval(question("a.md", "b.md", any_document=False), ranked)
    assert needs_all["span_mrr@10"] == pytest.approx(1 / 3)
    assert (needs_all["span_hit@5"], needs_all["span_recall@5"]) == (1, 0.5)
    assert retrieval(question("a.md", "b.md"), ranked)["span_recall@5"] == 1


def test_passages_that_know_no_place_say_nothing_of_evidence() -> None:
    ranked = outcome("a.md", evidence=(Span(document="a.md", start=0, end=9),))
    adrift = tuple(each.model_copy(update={"start": None, "end": None}) for each in ranked.passages)
    found = retrieval(question("a.md"), ranked.model_copy(update={"passages": adrift}))
    assert found["hit@1"] == 1
    assert not [name for name in found if name.startswith("span_")]

"""The report of one run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pipelines.errors import MissingExtra, SearchaskError
from pipelines.evaluation.outcomes import Called, Judgement
from pipelines.evaluation.report import write_report
from pipelines.evaluation.runs import Run
from tests.evaluation.report.hostile import TEXTS, hostile_run
from tests.evaluation.report.pages import parsed, row
from tests.evaluation.samples import outcome, question, run

CUTOFF = {
    "query_engines.answer.retriever": "both",
    "query_engines.answer.postprocessors[0].type": "similarity_cutoff",
    "query_engines.answer.postprocessors[0].cutoff": "0.4",
}


def some_run(**header: object) -> Run:
    right, lost, refused = question("right"), question("lost"), question("refused")
    missing = question("missing", answerable=False, answers=(), documents=())
    called = (Called(model="chat-1", purpose="answer", tokens_in=1_200, tokens_out=30),)
    pairs = [
        (right, outcome(right, calls=called, money=0.002, stages={"write": 12.0})),
        (lost, outcome(lost, rank=0, says="no", stages={"write": 30.0}, money=0.002)),
        (refused, outcome(refused, rank=3, outcome="refused", says="nothing", money=0.0)),
        (missing, outcome(missing, rank=0, outcome="refused", money=0.0)),
    ]
    return run(pairs, **header)


def report(of: Run, tmp_path: Path, language: str | None = None) -> str:
    file = tmp_path / "deep" / "report.html"
    write_report(of, file, language)  # type: ignore[arg-type]
    return file.read_text("utf-8")


def test_figures(tmp_path: Path) -> None:
    soup = parsed(
        report(some_run(documents=12, chunks=3_400, notes={"en": ("a note",), "zh": ("一条说明",)}), tmp_path)
    )
    text = soup.get_text(" ", strip=True)
    assert soup.title and soup.title.get_text() == "Evaluation of engine answer"
    assert "12 in 3,400 chunks" in text
    assert "a note" in text
    assert row(soup, "hit@1")[1:4] == ["0.333", "0.061 – 0.792", "3"]
    assert row(soup, "Answerable")[1:] == ["2", "1", "0", "0"]
    assert row(soup, "Not answerable")[1:] == ["0", "1", "0", "0"]
    assert "Precision 50.0%" in text
    assert row(soup, "chat-1")[1:] == ["answer", "1", "1,200", "30"]
    assert "Together 0.004; 0.001 a question" in text
    assert row(soup, "write")[1:] == ["21.0", "29.1", "21.0", "30.0", "2"]
    assert row(soup, "whole question")[-1] == "4"


def test_plots_say_what_they_show(tmp_path: Path) -> None:
    soup = parsed(report(some_run(effective=CUTOFF), tmp_path))
    told = [each.get_text(strip=True) for each in soup.find_all("figcaption")]
    assert told[0] == "rank 1: 1; rank 3: 1; not found: 1"
    assert "3 answerable questions, median 1.000" in told[1]
    assert "The dashed line is the cutoff, 0.4" in told[1]
    assert [each["aria-label"] for each in soup.find_all("svg")] == told
    ids = [each["id"] for each in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))


def test_ranks_of_each_retriever(tmp_path: Path) -> None:
    asked = question("one")
    found = outcome(asked, rank=2)
    ranks = [{"words": 1} if each.document == "gold.md" else {"meaning": 1} for each in found.passages]
    passages = tuple(
        each.model_copy(update={"ranks": by}) for each, by in zip(found.passages, ranks, strict=True)
    )
    soup = parsed(report(run([(asked, found.model_copy(update={"passages": passages}))]), tmp_path))
    titles = {each.h3.get_text(): each.figcaption.get_text() for each in soup.find_all("figure") if each.h3}
    assert titles == {
        "a gold document: the engine's ranking": "rank 2: 1",
        "a gold document: meaning": "not found: 1",
        "a gold document: words": "rank 1: 1",
    }


def test_failing_questions(tmp_path: Path) -> None:
    soup = parsed(report(some_run(), tmp_path))
    failing = {
        each.summary.get_text(" ", strip=True): each for each in soup.find_all("details", class_="case")
    }
    assert list(failing) == [
        "What of refused? refused, though answerable refused",
        "What of lost? gold not found lost",
    ]
    refused, lost = failing.values()
    gold = refused.find("li", class_="gold")
    assert gold and gold["value"] == "3"
    assert gold.find(class_="document").get_text() == "gold.md"
    assert lost["data-reasons"] == "not_found"
    assert lost.find(class_="answer").get_text(strip=True) == "no"
    assert "2 / 3" in soup.find(class_="barlist").get_text(" ", strip=True)


def test_chinese_by_its_questions(tmp_path: Path) -> None:
    asked = [question(name, language="zh") for name in "ab"] + [question("c", language="en")]
    page = report(run([(each, outcome(each, rank=0, says="否")) for each in asked]), tmp_path)
    soup = parsed(page)
    assert soup.html and soup.html["lang"] == "zh-CN"
    assert soup.title and soup.title.get_text() == "引擎 answer 的评测"
    assert row(soup, "hit@1")[-1] == "前 1 名中有标准文档"
    assert "供回答参考" in page
    assert parsed(report(run([]), tmp_path)).html["lang"] == "en"  # type: ignore[index]


def test_judge(tmp_path: Path) -> None:
    asked, other = question("a"), question("b")
    verdicts = {"grounded": Judgement(verdict=False, reply="NO, as …"), "relevant": Judgement(verdict=None)}
    pairs = [(asked, outcome(asked, judged=verdicts)), (other, outcome(other))]
    text = parsed(report(run(pairs, judge="judge-1"), tmp_path)).get_text(" ", strip=True)
    assert "1 replies of the judge were neither yes nor no" in text
    assert "Judged, grounded: no NO, as …" in text
    assert "Failing questions: 1 of 2" in text


def test_errors_and_what_is_left(tmp_path: Path) -> None:
    asked, failed = question("a"), question("b")
    whole = run(
        [
            (asked, outcome(asked)),
            (failed, outcome(failed, outcome="failed", error="the endpoint is away", passages=())),
        ],
        state="stopped",
        why="interrupted",
    )
    whole.questions.append(question("c"))
    text = parsed(report(whole, tmp_path)).get_text(" ", strip=True)
    assert "1 questions were not asked. interrupted" in text
    assert "the endpoint is away" in text
    assert "failed with an error" in text


def test_no_more_than_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.evaluation.report.run_page.MOST_CASES", 2)
    asked = [question(name) for name in "abcde"]
    soup = parsed(report(run([(each, outcome(each, says="no")) for each in asked]), tmp_path))
    assert len(soup.find_all("details", class_="case")) == 2
    assert "… and 3 more." in soup.get_text()


def test_nothing_asked(tmp_path: Path) -> None:
    text = parsed(report(run([]), tmp_path)).get_text(" ", strip=True)
    assert "Nothing could be measured yet." in text
    assert "No question fails." in text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_hostile_texts(tmp_path: Path, language: str) -> None:
    page = report(hostile_run(), tmp_path, language)
    assert len(page) < 400_000
    soup = parsed(page)
    text = soup.get_text()
    for each in (*TEXTS[:5], TEXTS[7]):
        assert each in text
    assert "invoicetxt.exehidden" in text
    assert not set("\x00\x07\x1b\u202e\u2066\ufffe") & set(page)
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})
    assert policy and str(policy["content"]).startswith("default-src 'none'")
    assert "unsafe-inline'; script-src 'sha256-" in str(policy["content"])


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    assert report(some_run(), tmp_path) == report(some_run(), tmp_path)


def test_what_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SearchaskError, match="can't be written"):
        write_report(some_run(), tmp_path / "file" / "report.html")


def test_without_matplotlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtra, match=r"searchask\[evaluation\]"):
        write_report(some_run(), tmp_path / "report.html")

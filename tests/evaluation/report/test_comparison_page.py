"""The report of several runs."""

from __future__ import annotations

from pathlib import Path

from pipelines.evaluation.compare import compare
from pipelines.evaluation.report import write_comparison
from pipelines.evaluation.runs import Run
from pipelines.evaluation.setup import EMBEDDED, TRAINED, SetUp
from pipelines.words import Language
from tests.evaluation.report.hostile import TEXTS, hostile_run
from tests.evaluation.report.pages import parsed, row
from tests.evaluation.samples import outcome, question, run

ASKED = [question(str(number)) for number in range(12)]


def ranked(rank: int, says: str = "yes", **header: object) -> Run:
    return run([(each, outcome(each, rank=rank, says=says)) for each in ASKED], **header)


def report(runs: list[Run], names: list[str], tmp_path: Path, language: Language | None = None) -> str:
    file = tmp_path / "comparison.html"
    write_comparison(compare(runs, names), file, language)
    return file.read_text("utf-8")


def test_better_by_more_than_chance(tmp_path: Path) -> None:
    one = ranked(0, "no", effective={"a.k": "2", "b": "same"}, fingerprints={"load": "f1"})
    other = ranked(1, effective={"a.k": "6", "b": "same"}, fingerprints={"load": "f1"})
    soup = parsed(report([one, other], ["small", "large"], tmp_path))
    assert soup.title and soup.title.get_text() == "Comparison: small, large"
    assert row(soup, "a.k") == ["a.k", "2", "6"]
    assert not soup.find("td", string="same")
    against = soup.find("th", string="Difference").find_parent("table")  # type: ignore[union-attr]
    assert against
    cells = row(against, "hit@1")  # type: ignore[arg-type]
    assert cells[1] == "+1.000"
    assert cells[3] == "[+1.000, +1.000]"
    assert float(cells[4]) < 0.05
    assert cells[5:] == ["better", "12 / 0", "12"]
    assert against.find(class_="forest")
    text = soup.get_text(" ", strip=True)
    assert "Questions that flipped: 12 for the better, 0 for the worse" in text
    flip = soup.find("details", class_="case")
    assert flip and flip["data-reasons"] == "better"
    assert [each.get_text(strip=True) for each in flip.find_all(class_="answer")] == ["no", "yes"]


def test_worse_where_lower_is_better(tmp_path: Path) -> None:
    refusing = run([(each, outcome(each, outcome="refused")) for each in ASKED])
    soup = parsed(report([ranked(1), refusing], ["a", "b"], tmp_path))
    against = soup.find("th", string="Difference").find_parent("table")  # type: ignore[union-attr]
    assert row(against, "refused_wrongly")[5] == "worse"  # type: ignore[arg-type]
    assert row(against, "hit@1")[5] == "the same"  # type: ignore[arg-type]


def test_three_runs_of_the_same(tmp_path: Path) -> None:
    text = parsed(report([ranked(1), ranked(1), ranked(1)], ["a", "a", "b"], tmp_path, "zh")).get_text(" ")
    assert "对比：a (1), a (2), b" in text
    assert "b 与 a (1) 相比" in text
    assert "生效的配置相同" in text
    assert text.count("没有结果改变的问题") == 2


def test_what_each_config_took_to_set_up(tmp_path: Path) -> None:
    took = [SetUp(EMBEDDED, 12, 3_400, 0.0, 5.25, 0.4), SetUp(TRAINED, 0, 9_000, None, 600.0, 600.0)]
    compared = compare([ranked(1), ranked(1)], ["with <b>", "tuned"])
    for language, way, other in (("en", "model trained", "What it takes"), ("zh", "训练模型", "搭建开销")):
        file = tmp_path / f"{language}.html"
        write_comparison(compared, file, language, set_ups=took)  # type: ignore[arg-type]
        section = parsed(file.read_text("utf-8")).find(id="set-up")
        assert section and other in section.get_text() and not section.find("b")
        cells = [[cell.get_text() for cell in line.find_all(["th", "td"])] for line in section.find_all("tr")]
        assert cells[0] == ["", "with <b>", "tuned"] and cells[1][2] == way
        assert [line[1:] for line in cells[2:]] == [
            ["12", "0"],
            ["3,400", "9,000"],
            ["0.0000", "–"],
            ["5.250", "600"],
            ["0.400", "600"],
        ]
    assert 'id="set-up"' not in report([ranked(1), ranked(1)], ["a", "b"], tmp_path)


def test_hostile_texts(tmp_path: Path) -> None:
    one, other = hostile_run(), hostile_run()
    for key, each in list(other.outcomes.items()):
        other.outcomes[key] = each.model_copy(update={"passages": (), "outcome": "refused"})
    other.header = other.header.model_copy(update={"effective": {TEXTS[0]: TEXTS[1]}})
    page = report([one, other], [TEXTS[0], TEXTS[1]], tmp_path)
    text = parsed(page).get_text()
    for each in TEXTS[:5]:
        assert each in text
    assert not set("\x00\x07\x1b\u202e\u2066\ufffe") & set(page)

"""What a file of experiments says, and everything that is wrong with it, each at its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.evaluation.sweep.experiments import read_experiments
from tests.evaluation.sweep.lodge import GRID, Lodge


def wrong(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_experiments(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


def test_all_of_it_is_read(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(
        GRID + "search: {random: 3, seed: 7}\nbudget: {runs: 2, money: 0.5}\nengine: answer\n"
    )
    found = read_experiments(lodge.file)
    assert (found.questions, found.split, found.engine) == (tmp_path / "q.jsonl", "train", "answer")
    assert (found.metric, found.draws, found.seed) == ("contains", 3, 7)
    assert (found.budget.runs, found.budget.minutes, found.budget.money) == (2, None, 0.5)
    tried = {path: [each.value for each in values] for path, values in found.values.items()}
    assert tried == {("node_parser", "chunk_size"): [32, 64], ("retrievers", "both", "top_k"): [2, 6]}


def test_every_mistake_at_once(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(
        "base: handbook.yaml\n"
        "question: q.jsonl\n"
        "engine: anser\n"
        "metric: mmr\n"
        "search: {random: none, sede: 1}\n"
        "budget: {runs: 0, minutes: -1, money: .inf}\n"
        "experiments:\n"
        "  node_parser.chunk_sise: [1]\n"
        "  retrievers.bott.top_k: [1]\n"
        "  node_parser.chunk_size: 512\n"
        "  retrievers.both.top_k: [2, 2]\n"
        "  retrievers.both: [{type: vector}]\n"
        "  query_engines.answer.postprocessors[1]: [{type: evidence}]\n"
        "  storage: [a]\n"
        "  language.zh: [a]\n"
        "  a..b: [1]\n"
    )
    assert wrong(lodge.file) == [
        "2:1: question: unknown key (did you mean 'questions'?)",
        "3:9: engine: the base has no query engine 'anser' (did you mean 'answer'?)",
        "4:9: metric: no metric is called 'mmr' (did you mean 'mrr'?)",
        "5:18: search.random: must be a whole number, at least 1",
        "5:24: search.sede: unknown key (did you mean 'seed'?)",
        "6:16: budget.runs: must be a whole number, at least 1",
        "6:28: budget.minutes: must be a number, at least 0",
        "6:39: budget.money: must be a number, at least 0",
        "8:3: node_parser.chunk_sise: there is no node_parser.chunk_sise in the base: node_parser has no 'chunk_sise' "
        "(did you mean 'chunk_size'?)",
        "9:3: retrievers.bott.top_k: there is no retrievers.bott in the base: retrievers has no 'bott' "
        "(did you mean 'both'?)",
        "10:27: node_parser.chunk_size: must be a list of the values to try, such as [128, 256]",
        "11:30: retrievers.both.top_k: stands in this list twice",
        "12:3: retrievers.both: is changed by retrievers.both.top_k too: name it once, with whole values",
        "13:3: query_engines.answer.postprocessors[1]: there is no query_engines.answer.postprocessors[1] in the base: "
        "query_engines.answer.postprocessors has no '1' (known: 0)",
        "14:3: storage: can't be swept: all variants share the `storage` of the base",
        "15:3: language.zh: there is no language.zh in the base: language has no parts",
        "16:3: a..b: is no path: write it as `node_parser.chunk_size` or `query_engines.a.postprocessors[0]`",
    ]


def test_mistakes_of_the_base_are_told_beside_those_of_the_file(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.base.write_text(lodge.base.read_text().replace("chunk_size: 32", "chunk_size: many"))
    lodge.file.write_text(GRID + "more: 1\n")
    told = wrong(lodge.file)
    assert [
        each for each in told if "handbook.yaml:9:15: node_parser.chunk_size: must be a whole number" in each
    ]
    assert [each for each in told if each.startswith("8:1: more: unknown key")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a file of experiments is a map"),
        ("- a", "a file of experiments is a map"),
        ("base: [", "the file ends"),
        ("experiments: {}", "base: missing"),
        ("base: none.yaml\nexperiments: {a: [1]}", "no such file"),
        ("base: handbook.yaml\nexperiments: {}", "must be a map such as"),
        ("base: handbook.yaml\nexperiments: {language: [!!python/object:os.system zh]}", "tags"),
    ],
)
def test_what_is_no_file_of_experiments(tmp_path: Path, text: str, said: str) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(text)
    assert said in "\n".join(wrong(lodge.file))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert "can't be read" in wrong(tmp_path / "none.yaml")[0]

"""Variants of a base: which there are, in which order, and where their errors come from."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.errors import ConfigError
from pipelines.evaluation.sweep.experiments import read_experiments
from pipelines.evaluation.sweep.variants import Variant, variants
from tests.evaluation.sweep.lodge import Lodge

HEAD = "base: handbook.yaml\nquestions: q.jsonl\n"


def found(file: Path) -> list[Variant]:
    return variants(read_experiments(file))


def problems(file: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        found(file)
    return [str(problem).removeprefix(f"{file}:") for problem in caught.value.problems]


def test_a_grid_without_the_base_itself_and_equal_indexes_beside_each_other(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.experiments("retrievers.both.top_k: [2, 6]", "node_parser.chunk_size: [64, 32]")
    told = found(lodge.file)
    assert [each.name for each in told] == [
        "base",
        "top_k=2 chunk_size=32",
        "top_k=2 chunk_size=64",
        "top_k=6 chunk_size=64",
    ]
    assert [each.index == told[0].index for each in told] == [True, True, False, False]
    assert told[2].config.spec.node_parser.chunk_size == 64  # type: ignore[union-attr]
    assert told[2].changes == {"retrievers.both.top_k": 2, "node_parser.chunk_size": 64}
    assert told[0].config.spec.node_parser.chunk_size == 32  # type: ignore[union-attr]


def test_random_variants_are_the_same_for_the_same_seed(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)

    def drawn(search: str) -> list[str]:
        lines = ("retrievers.both.top_k: [1, 2, 3, 4, 5]", "node_parser.chunk_size: [64, 65, 66, 67, 68]")
        lodge.experiments(*lines, head=f"{HEAD}search: {search}\n")
        return [each.name for each in found(lodge.file)[1:]]

    one = drawn("{random: 6, seed: 1}")
    assert len(set(one)) == 6
    assert drawn("{random: 6, seed: 1}") == one
    assert drawn("{random: 6, seed: 2}") != one
    assert len(drawn("{random: 100}")) == 25


def test_a_grid_that_is_too_large_is_refused(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    many = str(list(range(40, 80)))
    lodge.experiments(f"retrievers.both.top_k: {many}", f"node_parser.chunk_size: {many}")
    assert problems(lodge.file) == [
        "3:1: experiments: 1,600 variants are too many: at most 1,000, or `search: {random: 20}`"
    ]


def test_a_value_that_is_wrong_is_told_at_its_own_place(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.experiments(
        "node_parser.chunk_size: [64, none]",
        "query_engines.answer.postprocessors[0]: [{type: evidense}, {type: evidence, cutof: 1}]",
    )
    told = problems(lodge.file)
    assert told[0] == "4:32: node_parser.chunk_size: must be a whole number, not 'none'"
    assert told[1].startswith(
        "5:51: query_engines.answer.postprocessors[0].type: there is no type 'evidense'"
    )
    assert told[2].startswith("5:79: query_engines.answer.postprocessors[0].cutof: unknown key")
    assert len(told) == 3


def test_a_mistake_that_comes_of_a_value_names_it(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.base.write_text(lodge.base.read_text("utf-8").replace("chunk_overlap: 8", "chunk_overlap: 24"))
    lodge.experiments("node_parser.chunk_size: [64, 20]", "retrievers.both.top_k: [2, 4]")
    (told,) = problems(lodge.file)
    assert told.startswith("4:32: node_parser.chunk_size: ")
    assert "chunk_overlap" in told


def test_a_mistake_that_comes_of_several_values_names_them_all(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.experiments("node_parser.chunk_size: [64, 20]", "node_parser.chunk_overlap: [4, 30]")
    told = problems(lodge.file)
    assert all("chunk_size" in each and "chunk_overlap" in each for each in told)


def test_parts_that_the_base_does_not_write_are_written_whole(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.base.write_text(
        "storage: s\nloaders: {files: {type: folder, path: docs}}\nembed_model: {type: fake}\n"
    )
    lodge.experiments(
        "node_parser.chunk_size: [99]",
        "retrievers.both.top_k: [3]",
        "query_engines.answer.postprocessors[0].type: [evidence]",
        "limits.per_question.tokens: [500]",
    )
    spec = found(lodge.file)[1].config.spec
    assert spec.node_parser.chunk_size == 99  # type: ignore[union-attr]
    assert list(spec.retrievers) == ["meaning", "words", "both"]
    assert spec.retrievers["both"].top_k == 3  # type: ignore[union-attr]
    assert spec.limits.per_question.tokens == 500


def test_variables_are_expanded_and_paths_go_from_the_file_that_wrote_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lodge = Lodge(tmp_path / "base")
    (tmp_path / "other").mkdir()
    file = tmp_path / "other" / "sweep.yaml"
    file.write_text(
        "base: ../base/handbook.yaml\nexperiments:\n  loaders.files.path: [more, docs]\n"
        '  node_parser.chunk_size: ["${SIZE}"]\n'
    )
    monkeypatch.setenv("SIZE", "77")
    _, *others = found(file)
    assert [each.config.base_of("loaders", "files") for each in others] == [tmp_path / "other"] * 2
    assert [each.config.spec.node_parser.chunk_size for each in others] == [77, 77]  # type: ignore[union-attr]
    assert others[0].config.storage == lodge.storage
    monkeypatch.delenv("SIZE")
    assert "4:28: node_parser.chunk_size: the variable SIZE is not set" in problems(file)[0]


def test_a_budget_in_money_needs_prices(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    line = "embed_model: [{type: openai, model: text-embedding-3-small, api_key: x}]"
    lodge.experiments(line, head=HEAD + "budget: {money: 1}\n")
    assert problems(lodge.file) == [
        "3:1: budget.money: money can't be counted: `embed_model` gives no `price`"
    ]

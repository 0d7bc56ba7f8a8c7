"""The winning config as a file."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.errors import Refused, SearchaskError
from pipelines.evaluation.sweep.experiments import Experiments, read_experiments
from pipelines.evaluation.sweep.variants import Variant, same, variants
from pipelines.evaluation.sweep.winner import place_of, write_winner
from tests.evaluation.sweep.lodge import CONFIG, Lodge


def last(lodge: Lodge, *lines: str, head: str = "base: handbook.yaml\n") -> tuple[Experiments, Variant]:
    experiments = read_experiments(lodge.experiments(*lines, head=head))
    return experiments, variants(experiments)[-1]


def written(experiments: Experiments, winner: Variant, out: str | None = None) -> str:
    file = place_of(experiments, out)
    write_winner(experiments, winner, file)
    assert same(load_config(file), winner.config)
    return file.read_text("utf-8")


EDITS = (
    "node_parser.chunk_size: [64]",
    "retrievers.both.top_k: [2]",
    "query_engines.answer.postprocessors[0]: [{type: similarity_cutoff, cutoff: 0.8}]",
)


def test_comments_stay_and_only_the_values_change(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.base.chmod(0o640)
    text = written(*last(lodge, *EDITS))
    head, _, rest = text.partition("\n")
    assert head.startswith("# Written by `searchask sweep` sweep.yaml;")
    assert rest == CONFIG.replace("chunk_size: 32 ", "chunk_size: 64 ").replace(
        "top_k: 6 ", "top_k: 2 "
    ).replace("- type: evidence", "- type: similarity_cutoff\n        cutoff: 0.8")
    assert stat.S_IMODE((tmp_path / "handbook.best.yaml").stat().st_mode) == 0o640
    assert lodge.base.read_text("utf-8") == CONFIG


def test_values_that_the_base_does_not_write_go_into_a_file_that_extends_it(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    text = written(
        *last(lodge, "node_parser.chunk_size: [64]", "query_engines.answer.policy: [{type: strict}]")
    )
    assert text.partition("\n")[2] == (
        "extends: handbook.yaml\n\nnode_parser:\n  chunk_size: 64\n"
        "query_engines:\n  answer:\n    policy: {type: strict}\n"
    )


def test_values_of_an_extended_file(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    (tmp_path / "mine.yaml").write_text("extends: handbook.yaml\nnode_parser: {chunk_size: 48}   # mine\n")
    head = "base: mine.yaml\n"
    assert "chunk_size: 64}   # mine" in written(*last(lodge, "node_parser.chunk_size: [64]", head=head))
    (tmp_path / "mine.best.yaml").unlink()
    text = written(*last(lodge, "retrievers.both.top_k: [2]", "node_parser.chunk_size: [64]", head=head))
    assert text.startswith("# Written by") and "extends: mine.yaml" in text and "handbook" not in text


def test_a_map_that_lost_keys_and_one_of_another_type(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    head = "base: ../handbook.yaml\n"
    folder = tmp_path / "sweeps"
    folder.mkdir()
    lodge.file = folder / "sweep.yaml"
    text = written(*last(lodge, "node_parser: [{type: sentence, chunk_size: 64}]", "retrievers.words: [null]",
        "retrievers.both: [{type: vector, top_k: 3}]", head=head))  # fmt: skip
    assert "extends: ../handbook.yaml" in text
    assert "chunk_overlap: null" in text


def test_variables_stay_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lodge = Lodge(tmp_path)
    monkeypatch.setenv("SECRET_SIZE", "77")
    lodge.base.write_text(CONFIG + 'description: "costs 5$$ of ${SECRET_SIZE}"\n', "utf-8")
    text = written(*last(lodge, 'node_parser.chunk_size: ["${SECRET_SIZE}"]'))
    assert 'chunk_size: "${SECRET_SIZE}"      # tokens' in text and "77" not in text
    (tmp_path / "handbook.best.yaml").unlink()
    monkeypatch.setenv("TOP", "3")
    text = written(
        *last(lodge, "language: [zh]", 'node_parser: [{type: sentence, chunk_size: "${SECRET_SIZE}"}]')
    )
    assert "extends" in text and "77" not in text and '"${SECRET_SIZE}"' in text


def test_aliases_that_an_edit_would_change_too(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    text = CONFIG.replace("top_k: 6", "top_k: &k 6").replace("{type: vector}", "{type: vector, top_k: *k}")
    text = (
        text.replace("meaning: {type: vector, top_k: *k}", "meaning: {type: vector}")
        + "chat: {memory_tokens: *k}\n"
    )
    lodge.base.write_text(text, "utf-8")
    assert "extends: handbook.yaml" in written(*last(lodge, "retrievers.both.top_k: [2]"))


def test_a_file_that_no_sweep_wrote_or_that_was_edited_is_left_alone(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    experiments, winner = last(lodge, *EDITS)
    best = tmp_path / "handbook.best.yaml"
    written(experiments, winner)
    written(experiments, winner)  # its own file
    best.write_text(best.read_text("utf-8") + "# mine\n", "utf-8")
    with pytest.raises(Refused, match="there already"):
        place_of(experiments, None)
    with pytest.raises(Refused, match="there already"):
        place_of(experiments, str(lodge.questions))
    link = tmp_path / "link.yaml"
    link.symlink_to(tmp_path / "nowhere.yaml")
    with pytest.raises(Refused):
        place_of(experiments, str(link))


def test_over_the_base_where_it_is_asked_for(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    text = written(*last(lodge, *EDITS), str(lodge.base))
    assert text.startswith("# The handbook of the house.\n") and "chunk_size: 64 " in text
    with pytest.raises(SearchaskError, match="not all of its values are written"):
        written(*last(lodge, "language: [zh]"), str(lodge.base))
    assert lodge.base.read_text("utf-8") == text


def test_paths_that_would_mean_another_folder(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    (tmp_path / "more").mkdir()
    (tmp_path / "out").mkdir()
    experiments, winner = last(lodge, "loaders.files.path: [more]")
    with pytest.raises(SearchaskError, match="relative to another folder"):
        written(experiments, winner, str(tmp_path / "out" / "best.yaml"))
    assert not list((tmp_path / "out").iterdir())
    assert "path: more" in written(experiments, winner)

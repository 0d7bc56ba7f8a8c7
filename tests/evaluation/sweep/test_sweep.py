"""Whole sweeps, from the command to the winner, over real indexes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.config import load_config
from tests.evaluation.report.pages import parsed
from tests.evaluation.sweep.lodge import GRID, Lodge
from tests.support.cli import ROOT, environment, refused, searchask


def test_a_grid_from_the_plan_to_the_winner(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    listed = searchask("sweep", lodge.file, "--list")
    assert listed.code == 0 and not lodge.storage.exists()
    assert [line.split("  ")[0] for line in listed.out.splitlines()[1:]] == [
        "base",
        "chunk_size=32 top_k=2",
        "chunk_size=64 top_k=2",
        "chunk_size=64 top_k=6",
    ]

    said = searchask("sweep", lodge.file)
    assert said.code == 0, said.text
    assert "3 variants and the base, 3 questions each, engine answer, ranked by contains" in said.out
    assert "2 indexes, 2 to build: about " in said.out
    assert "then the base and the winner on 3 questions of the split test" in said.out
    assert said.err.count("index built") == len(lodge.indexes) == 2
    assert "note: On the 3 questions of the split `test`, which had no part in the choice" in said.err
    assert "may be chance: p = 1.000, corrected for the number of variants (3)" in said.err
    best = tmp_path / "handbook.best.yaml"
    assert f"winner: chunk_size=64 top_k=6, written to {best}" in said.out
    assert load_config(best).spec.node_parser.chunk_size == 64  # type: ignore[union-attr]
    assert "# tokens" in best.read_text("utf-8") and "extends" not in best.read_text("utf-8")
    assert not (lodge.storage / "catalog.sqlite").exists()  # the base's own index is not touched
    page = (lodge.storage / "evaluations" / "sweep-sweep.html").read_text("utf-8")
    soup = parsed(page)
    assert soup.find("svg") and "chunk_size=64 top_k=2" in soup.get_text()

    runs = lodge.runs
    assert len(runs) == 4 + 2
    again = searchask("sweep", lodge.file, "--json").json
    assert (again["embedded"], again["built"], again["plan"]["to_build"], again["plan"]["tokens"]) == (
        0,
        0,
        0,
        0,
    )
    assert lodge.runs == runs
    assert again["winner"] == {"name": "chunk_size=64 top_k=6", "file": str(best)}
    assert again["held_out"]["n"] == 3
    assert [each["name"] for each in again["variants"]].count("base") == 1
    assert any(each["efficient"] for each in again["variants"])


def test_what_runs_out_first_stops_it_and_the_next_command_goes_on(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(GRID + "budget: {runs: 1}\n")
    said = searchask("sweep", lodge.file, "--json")
    assert [each["name"] for each in said.json["variants"]] == ["base", "chunk_size=32 top_k=2"]
    assert said.json["left"] == ["chunk_size=64 top_k=2", "chunk_size=64 top_k=6"]
    assert said.json["why_left"] == "the budget of 1 runs is used up"
    assert "2 variants were not tried" in "".join(said.json["notes"])
    assert len(lodge.indexes) == 1
    lodge.file.write_text(GRID + "budget: {minutes: 0}\n")
    assert [each["name"] for each in searchask("sweep", lodge.file, "--json").json["variants"]] == ["base"]
    assert not (tmp_path / "handbook.best.yaml").exists()


def test_the_best_of_many_is_said_to_be_optimistic_and_the_base_may_win(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(GRID.replace("split: train\n", ""))
    said = searchask("sweep", lodge.file, "--json").json
    assert said["held_out"] is None and "so its figure is optimistic" in "".join(said["notes"])
    lodge.file.write_text(GRID.replace("contains", "refused_wrongly").replace("[32, 64]", "[20]"))
    said = searchask("sweep", lodge.file, "--json").json
    assert said["winner"] == {"name": "base", "file": None}
    assert "No variant is better than the base by refused_wrongly." in said["notes"]


def test_a_variant_that_can_t_be_measured_does_not_stop_the_others(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    broken = "{type: openai, model: m, api_key: k, base_url: 'http://127.0.0.1:9/v1', retries: 0}"
    lodge.experiments(f"embed_model: [{broken}, {{type: fake, seed: 2}}]")
    said = searchask("sweep", lodge.file, "--json")
    assert said.code == 1, said.text
    assert len(said.json["variants"]) == 2
    (one,) = said.json["broken"]
    assert "openai" in one["name"] and "127.0.0.1:9" in one["why"]


@pytest.mark.parametrize(("lines", "steps"), [(3, "while embedding"), (17, "while asking")])
def test_a_killed_sweep_goes_on_and_does_nothing_twice(tmp_path: Path, lines: int, steps: str) -> None:
    lodge, log = Lodge(tmp_path), tmp_path / "log"

    def run(at: int) -> subprocess.CompletedProcess[bytes]:
        words = [sys.executable, "-m", "tests.evaluation.sweep.watched", log, str(at), lodge.file]
        return subprocess.run(words, cwd=ROOT, env=environment(), capture_output=True, timeout=300)

    killed = run(lines)
    assert killed.returncode == -9, killed.stderr.decode()
    before = log.read_text("utf-8").splitlines()
    assert before[-1].startswith("'asked") is (steps == "while asking")
    done = run(0)
    assert done.returncode == 0, done.stderr.decode()
    noted = log.read_text("utf-8").splitlines()
    assert len(noted) > len(before)
    assert len(set(noted)) == len(noted)
    assert len([line for line in noted if line.startswith("'asked")]) == 4 * 3 + 2 * 3
    assert len(lodge.runs) == 6


def test_nothing_is_spent_where_something_is_wrong(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    (tmp_path / "handbook.best.yaml").write_text("mine\n")
    refused(searchask("sweep", lodge.file), "handbook.best.yaml is there already", "--out")
    lodge.file.write_text(GRID.replace("[2, 6]", "[2, 0]"))
    refused(searchask("sweep", lodge.file), "sweep.yaml:7:30: retrievers.both.top_k: must be above 0, not 0")
    lodge.file.write_text(GRID.replace("split: train", "split: trian"))
    refused(
        searchask("sweep", lodge.file, "--out", tmp_path / "o.yaml"), "no question is of the split 'trian'"
    )
    lodge.file.write_text(GRID.replace("questions: q.jsonl\n", ""))
    refused(searchask("sweep", lodge.file, "--out", tmp_path / "o.yaml"), "which questions?")
    assert not lodge.storage.exists()


def test_a_metric_that_no_question_has(tmp_path: Path) -> None:
    lodge = Lodge(tmp_path)
    lodge.file.write_text(GRID.replace("contains", "grounded"))
    refused(searchask("sweep", lodge.file), "grounded can't decide: no question of the set has it")
    assert len(lodge.runs) == 1  # the base tells

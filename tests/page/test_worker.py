"""The ingestion that the page starts: a real child, seen, cancelled and never doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.errors import Refused, SearchaskError
from pipelines.ingestion.progress import read_progress
from pipelines.page.progress import progress_view
from pipelines.page.worker import State, Worker
from tests.support import fixtures
from tests.support.cli import ROOT, command, environment
from tests.support.crash import wait_for
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

server = fixtures.openai_server


@pytest.fixture
def slow(tmp_path: Path, server: OpenAIServer) -> House:
    """A house whose model answers after a while."""
    model = {"type": "openai_like", "model": "hash", "base_url": server.url, "batch_size": 8}
    house = House(tmp_path, {"embed_model": {**model, "concurrency": 1}})
    house.fill(60)
    server.reset(delay=0.1)
    return house


@pytest.fixture
def terminal(slow: House) -> Iterator[subprocess.Popen[bytes]]:
    """An ingestion that a terminal has started."""
    run = subprocess.Popen(
        command("ingest", slow.file, "--yes"),
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: read_progress(slow.config.storage), seconds=60)
    yield run
    run.kill()
    run.wait()


def end_of(worker: Worker) -> State:
    wait_for(lambda: worker.state().kind != "running", seconds=90, what="the end")
    return worker.state()


def test_an_ingestion_runs_in_a_child_and_tells_how_it_went(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(3)
    (house.docs / "bad.pdf").write_bytes(b"no PDF")
    worker = Worker(house.config)
    assert worker.state() == State()
    worker.start()
    state = worker.state()
    assert (state.kind, state.ours) == ("running", True)
    assert progress_view(state, "en").headline == "starting"
    progress = wait_for(lambda: worker.state().progress, seconds=60)
    assert progress.pid != os.getpid()
    assert os.getsid(progress.pid) == progress.pid  # outlives this process and its terminal
    assert os.getpriority(os.PRIO_PROCESS, progress.pid) > os.getpriority(os.PRIO_PROCESS, 0)
    state = end_of(worker)
    assert (state.kind, state.outcome, state.message) == ("ended", "failed", "")
    assert state.summary["documents"] == {"done": 3, "failed": 1, "read": 3}
    view = progress_view(state, "en")
    assert view.headline.startswith(
        "ended with failures, 3 documents done, 1 failed, 6 chunks written, 0 removed"
    )
    assert (view.running, view.share) == (False, 1.0)
    assert not Path(f"/proc/{progress.pid}").exists()  # and leaves no zombie
    assert house.agrees()


def test_options_reach_the_child_and_a_refusal_comes_back(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(2)
    house.ingest()
    for path in house.docs.iterdir():
        path.unlink()
    worker = Worker(house.config)
    worker.start(retry_failed=True)
    state = end_of(worker)
    assert state.outcome == "refused"
    assert "no document was found by files" in state.message
    assert progress_view(state, "zh").headline.startswith("已拒绝，no document was found")
    worker.start(allow_vanish=True)
    assert end_of(worker).outcome == "done"
    assert house.live() == {}


def test_a_wrong_config_is_a_refusal(tmp_path: Path) -> None:
    house = House(tmp_path)
    worker = Worker(house.config)
    house.edit(node_parser={"type": "sentense"})
    worker.start()
    state = end_of(worker)
    assert state.outcome == "refused"
    assert "config.yaml:" in state.message
    assert "sentense" in state.message


def test_a_run_is_cancelled_after_the_documents_in_hand(slow: House) -> None:
    worker = Worker(slow.config)
    assert not worker.cancel()
    worker.start()
    wait_for(lambda: (now := worker.state().progress) and now.in_hand, seconds=60)
    view = progress_view(worker.state(), "zh")
    assert "/ 60 个文档" in view.headline
    assert view.in_hand.rows
    assert worker.cancel()
    state = end_of(worker)
    assert state.outcome == "interrupted"
    assert 0 < state.summary["documents"]["done"] < 60
    assert slow.agrees()


def test_a_child_that_has_not_begun_is_cancelled_at_once(slow: House) -> None:
    worker = Worker(slow.config)
    worker.start()
    assert worker.cancel()
    assert worker.cancel()
    state = end_of(worker)
    assert (state.outcome, state.message) == ("interrupted", "")


def test_of_two_tabs_one_wins(slow: House) -> None:
    worker = Worker(slow.config)
    together = threading.Barrier(4)
    said: list[str] = []

    def start() -> None:
        together.wait()
        try:
            worker.start()
            said.append("started")
        except Refused as refusal:
            said.append(str(refusal))

    tabs = [threading.Thread(target=start) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert said.count("started") == 1
    refusals = [each for each in said if each != "started"]
    assert len(refusals) == 3
    assert all("an ingestion runs already, since 20" in each for each in refusals)
    worker.cancel()
    end_of(worker)


def test_a_terminal_s_run_is_seen_not_doubled_and_cancelled(
    slow: House, terminal: subprocess.Popen[bytes]
) -> None:
    worker = Worker(slow.config)
    state = worker.state()
    assert (state.kind, state.ours) == ("running", False)
    assert state.progress is not None
    assert state.progress.pid == terminal.pid
    with pytest.raises(SearchaskError, match=rf"runs already, since 20.*\(process {terminal.pid} on "):
        worker.start()
    assert worker.cancel()
    wait_for(lambda: worker.state().progress is None or worker.state().progress.stopping)  # type: ignore[union-attr]
    assert terminal.wait(30) == 130
    assert worker.state() == State()


def test_a_killed_child_is_told_and_the_next_one_runs(slow: House, server: OpenAIServer) -> None:
    worker = Worker(slow.config)
    worker.start()
    progress = wait_for(lambda: worker.state().progress, seconds=60)
    os.kill(progress.pid, signal.SIGKILL)
    state = end_of(worker)
    assert state.outcome == "stopped"
    assert "exit code -9" in state.message
    assert progress_view(state, "en").headline.startswith("broke off, it ended with exit code -9")
    server.reset()
    worker.start()
    assert end_of(worker).outcome == "done"


def test_modules_beside_the_config_are_not_the_child_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = House(tmp_path)
    house.fill(1)
    for name in ("json.py", "pipelines.py", "yaml.py"):
        (tmp_path / name).write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    began = time.time()
    worker = Worker(house.config)
    worker.start()
    state = end_of(worker)
    assert state.outcome == "done", state.message
    assert state.started >= began

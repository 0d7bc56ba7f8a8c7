"""What the page says of an ingestion that runs, in both languages."""

from __future__ import annotations

import time

import pytest

from pipelines.ingestion.progress import Finished, InHand, Progress
from pipelines.page.progress import progress_view
from pipelines.page.worker import State


def running(**values: object) -> State:
    now = time.time()
    base: dict[str, object] = {"pid": 1, "host": "here", "born": "", "started": now - 70, "began": now - 60}
    return State("running", started=now - 70, progress=Progress(**{**base, **values}))  # type: ignore[arg-type]


def test_progress_says_how_far_it_is_and_how_long_it_takes() -> None:
    hand = (InHand("c.md", "embed", time.time() - 12),)
    ended = {
        "finished": (Finished("a.md", 1.5, 3),),
        "failures": (Finished("b.md", 0.1, 0, "the file is empty"),),
    }
    state = running(job=3, total=40, done=9, failed=3, in_hand=hand, **ended)
    view = progress_view(state, "en")
    assert view.headline == "12 of 40 documents, 3 failed, about 2 min left"
    assert view.share == pytest.approx(0.3)
    assert view.in_hand.rows == [["c.md", "embedding", "12"]]
    assert view.finished.rows == [["b.md", "0.10", "0", "the file is empty"], ["a.md", "1.50", "3", ""]]
    chinese = progress_view(state, "zh")
    assert chinese.headline == "12 / 40 个文档，3 个失败，约剩 2 分钟"
    assert chinese.in_hand.rows[0][1] == "向量化"
    assert chinese.finished.rows[0][3] == "文件为空"


@pytest.mark.parametrize(
    ("values", "headline", "share"),
    [
        ({}, "comparing the documents with the index", 0.0),
        ({"job": 1, "total": 4}, "0 of 4 documents", 0.0),
        (
            {"job": 1, "total": 4, "done": 1, "stopping": True},
            "1 of 4 documents, stopping after the documents in hand",
            0.25,
        ),
        ({"job": 1, "total": 4, "done": 4}, "4 of 4 documents, finishing", 1.0),
        ({"job": 1}, "0 of 0 documents, finishing", 1.0),
    ],
)
def test_headlines_of_a_run(values: dict[str, object], headline: str, share: float) -> None:
    view = progress_view(running(**values), "en")
    assert (view.headline, view.share) == (headline, share)


def test_nothing_is_said_where_nothing_runs() -> None:
    view = progress_view(State(), "zh")
    assert (view.running, view.share, view.headline, view.in_hand.rows) == (False, 0.0, "", [])

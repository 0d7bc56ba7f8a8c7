"""Similarity of texts: the order that meaning asks for, bounds, and a model that is loaded once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from pipelines.components.embed_models.here import FakeModel
from pipelines.errors import SearchaskError
from pipelines.page import explore
from pipelines.page.explore import similarity
from tests.support.house import House
from tests.support.openai_server import OpenAIServer


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_the_standard_example_with_the_local_model(house: House) -> None:
    house.edit(embed_model={"type": "local"})
    found = similarity(house.config, ["奥运会", "亚运会", "北京地铁"], "zh")
    assert found.names == ["奥运会", "亚运会", "北京地铁"]
    (_, near, far), (_, _, other), _ = found.matrix
    assert near > far and near > other
    assert found.note == f"最相近：“奥运会”与“亚运会”，{near:.3f}。"
    assert found.dimension == 384 and found.model == "multilingual-e5-small (local)"
    assert all(1 <= count <= 8 for count in found.tokens)
    english = similarity(
        house.config, ["How do I book leave?", "我要怎么请假？", "The price of a valve"], "en"
    )
    assert english.note.startswith("Closest: “How do I book leave?” and “我要怎么请假？”, 0.")


def test_matrix_is_symmetric_with_ones(house: House) -> None:
    texts = [f"text {number}" for number in range(explore.MOST_TEXTS)]
    matrix = similarity(house.config, texts, "en").matrix
    for row, cosines in enumerate(matrix):
        assert cosines[row] == 1.0
        assert cosines == [other[row] for other in matrix]
        assert all(-1 <= cosine <= 1 and round(cosine, 3) == cosine for cosine in cosines)


def test_equal_texts_and_long_names(house: House) -> None:
    found = similarity(house.config, ["same", " same ", "", "another text " * 10], "en")
    assert found.matrix[0][1] == 1.0
    assert found.names[2] == "another text another text ano…"


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ([], "at least two"),
        (["one", "  ", "\n"], "at least two"),
        (["x"] * 21, "At most 20"),
        (["x", "y" * 2_001], "Text 2 has 2,001 characters; at most 2,000"),
    ],
)
def test_bounds_are_sentences(house: House, texts: list[str], said: str) -> None:
    with pytest.raises(SearchaskError, match=said):
        similarity(house.config, texts, "en")


def test_a_model_is_loaded_once_and_few_are_kept(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[int] = []
    build = FakeModel.build

    def counted(self: FakeModel) -> Any:
        built.append(self.seed)
        return build(self)

    monkeypatch.setattr(FakeModel, "build", counted)
    house.edit(embed_model={"type": "fake", "seed": 101})
    config = house.config
    threads = [
        threading.Thread(target=similarity, args=(config, [f"a{number}", "b"], "en")) for number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert built == [101]
    for seed in (102, 103, 104, 101):
        house.edit(embed_model={"type": "fake", "seed": seed})
        similarity(house.config, ["a", "b"], "en")
    assert built == [101, 102, 103, 104, 101]
    assert len(explore._embedders) <= 2


def test_an_edited_key_makes_another_client(house: House, openai_server: OpenAIServer) -> None:
    for key in ("sk-first-000", "sk-second-00"):
        model = {"type": "openai_like", "model": "m", "base_url": openai_server.url, "api_key": key}
        house.edit(embed_model=model)
        assert similarity(house.config, ["a", "b"], "en").matrix[0][0] == 1.0
        assert all(key not in name for name in explore._embedders)
    assert len(explore._embedders) == 2

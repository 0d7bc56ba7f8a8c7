"""Files of adapters: what was written is read, and nothing else is."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelines.components.embed_models import FakeModel
from pipelines.config import load_config
from pipelines.errors import ConfigError, SearchaskError, StorageError
from pipelines.models.adapter import Adapter, read_adapter, write_adapter
from pipelines.page.site import Entry
from pipelines.querying.index import OpenIndex
from tests.support.house import House

ABOUT = {"format": 1, "model": "m"}
EYE = np.eye(4, dtype=np.float32)


def packed(array: Any, *, header: str = "") -> bytes:
    """An array as numpy writes it, or with another header of the same length."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    whole = stream.getvalue()
    return (
        whole[:10] + header.encode().ljust(len(whole[10:]))[:117] + b"\n" + whole[128:] if header else whole
    )


def file_of(
    path: Path, weights: bytes | None, about: object = ABOUT, method: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        if weights is not None:
            archive.writestr("weights.npy", weights)
        if about is not None:
            text = about if isinstance(about, bytes) else json.dumps(about).encode()
            archive.writestr("about.npy", packed(np.frombuffer(text, dtype=np.uint8)))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).normal(size=(5, 5)).astype(np.float32)
    before = Adapter(weights, "model-key", {"questions": "集.jsonl", "gains": [{"least": 0.1}]})
    write_adapter(tmp_path / "deep" / "a.npz", before)
    after = read_adapter(tmp_path / "deep" / "a.npz")
    assert np.array_equal(after.weights, weights)
    assert (after.model, after.about, after.content) == ("model-key", before.about, before.content)
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["a.npz"]


def test_the_content_is_the_weights_and_the_model(tmp_path: Path) -> None:
    same = Adapter(EYE.copy(), "m", {"trained": "another day"})
    assert Adapter(EYE, "m").content == same.content
    assert Adapter(EYE, "n").content != same.content
    assert Adapter(2 * EYE, "m").content != same.content


def test_a_question_is_moved_and_keeps_its_length() -> None:
    turn = Adapter(np.array([[0, -3], [3, 0]], dtype=np.float32), "m")
    assert turn.moved(np.array([2, 0], dtype=np.float32)) == pytest.approx([0, 2])
    assert turn.moved(np.array([[2, 0], [0, 1]], dtype=np.float32)) == pytest.approx(
        np.array([[0, 2], [-1, 0]])
    )
    with pytest.raises(StorageError, match=r"takes vectors of 2 dimensions, and those of the model have 3"):
        turn.moved(np.ones(3, dtype=np.float32))
    with pytest.raises(StorageError, match="leaves nothing"):
        Adapter(np.zeros((2, 2), dtype=np.float32), "m").moved(np.ones(2, dtype=np.float32))


class Trap:
    """What would be called when it is unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (Path.touch, (Path("trapped"),))


BAD = {
    "pickle": (packed(np.array([Trap()], dtype=object)), ABOUT, "holds object"),
    "another type": (packed(np.eye(4)), ABOUT, "holds float64"),
    "not square": (packed(np.ones((4, 3), dtype=np.float32)), ABOUT, r"shape \(4, 3\)"),
    "one dimension": (packed(np.ones(4, dtype=np.float32)), ABOUT, r"shape \(4,\)"),
    "one number": (packed(np.ones((1, 1), dtype=np.float32)), ABOUT, r"shape \(1, 1\)"),
    "by columns": (packed(np.asfortranarray(np.arange(16, dtype=np.float32).reshape(4, 4))), ABOUT, "holds"),
    "NaN": (packed(np.full((4, 4), np.nan, dtype=np.float32)), ABOUT, "NaN or infinite"),
    "infinity": (packed(np.full((4, 4), np.inf, dtype=np.float32)), ABOUT, "NaN or infinite"),
    "a claim of a petabyte": (
        packed(EYE, header="{'descr': '<f4', 'fortran_order': False, 'shape': (16000000, 16000000), }"),
        ABOUT,
        "holds float32 of shape",
    ),
    "a claim below zero": (
        packed(EYE, header="{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 4), }"),
        ABOUT,
        "holds float32 of shape",
    ),
    "a claim of more than there is": (
        packed(EYE, header="{'descr': '<f4', 'fortran_order': False, 'shape': (40, 40), }"),
        ABOUT,
        "cut short",
    ),
    "no header": (packed(EYE, header="open('trapped', 'w')"), ABOUT, "is no adapter"),
    "no array": (b"\x93NUMPY", ABOUT, "is no adapter"),
    "no weights": (None, ABOUT, "is no adapter"),
    "nothing told": (packed(EYE), None, "is no adapter"),
    "told in no JSON": (packed(EYE), b"\xff{", "nothing tells its model"),
    "told too deep": (packed(EYE), b"[" * 60_000, "nothing tells its model"),
    "no model": (packed(EYE), {"format": 1}, "nothing tells its model"),
    "another format": (packed(EYE), {"format": 2, "model": "m"}, "another version of Searchask"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_told_and_nothing_of_it_runs(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    weights, about, message = BAD[case]
    with pytest.raises(SearchaskError, match=message) as error:
        read_adapter(file_of(tmp_path / "a.npz", weights, about))
    assert "a.npz" in str(error.value)
    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"adapter", pickle.dumps({"weights": 1})])
def test_no_archive_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(SearchaskError, match=r"a\.npz is no adapter"):
        read_adapter(tmp_path / "a.npz")


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path) -> None:
    bomb = file_of(tmp_path / "a.npz", b"\0" * (70 * 2**20), method=zipfile.ZIP_DEFLATED)
    assert bomb.stat().st_size < 2**20
    with pytest.raises(SearchaskError, match="weights is too large"):
        read_adapter(bomb)


def test_a_folder_and_a_missing_file_are_told(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match="can't be read: Is a directory"):
        read_adapter(tmp_path)
    with pytest.raises(SearchaskError, match="can't be read: No such file"):
        read_adapter(tmp_path / "a.npz")


FAKE = {"type": "fake", "dimension": 4}


def test_a_config_names_it_relative_to_the_file_that_says_so(tmp_path: Path) -> None:
    base, house = tmp_path / "base", House(tmp_path / "house")
    adapter = Adapter(EYE * 2, FakeModel(type="fake", dimension=4).key)
    write_adapter(base / "here" / "a.npz", adapter)
    (base / "base.yaml").write_text("embed_model: {type: fake, dimension: 4, adapter: here/a.npz}\n", "utf-8")
    settings = {key: value for key, value in house.settings.items() if key != "embed_model"}
    house.settings = {**settings, "extends": "../base/base.yaml"}
    house.edit()
    model = house.config.spec.embed_model
    assert model.held is not None and model.held.content == adapter.content
    assert model.key == FakeModel(type="fake", dimension=4).key
    assert model.question_identity() != model.holding(None).question_identity()


def test_one_for_another_model_is_an_error_at_its_line(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": {**FAKE, "adapter": "a.npz"}})
    with pytest.raises(ConfigError, match=r"config\.yaml:2:\d+: embed_model\.adapter: .*No such file"):
        load_config(house.file)
    write_adapter(tmp_path / "a.npz", Adapter(EYE, FakeModel(type="fake", dimension=4, seed=1).key))
    with pytest.raises(
        ConfigError, match=r"embed_model\.adapter: .*a\.npz was trained for another embed_model"
    ):
        load_config(house.file)
    house.edit(embed_model={**FAKE, "seed": 1, "adapter": "a.npz"})
    assert house.config.spec.embed_model.held is not None


def test_only_questions_are_moved(tmp_path: Path) -> None:
    model = FakeModel(type="fake", dimension=4)
    turned = model.holding(Adapter(np.roll(EYE, 1, axis=0), model.key)).embedder()
    plain = model.embedder()
    assert turned.embed_question("a") == pytest.approx(np.roll(plain.embed_question("a"), 1))
    ((_, one),), ((_, other),) = turned.embed(["a"]), plain.embed(["a"])
    assert np.array_equal(one, other)


def asked(house: House) -> list[float]:
    """The vector of a question, as an open index has it."""
    index = OpenIndex(house.config)
    try:
        return index.embed_question("a")
    finally:
        index.close()


def test_an_index_of_another_model_is_asked_without_it(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": FAKE})
    house.fill(1)
    house.ingest()
    old, new = FakeModel(type="fake", dimension=4), FakeModel(type="fake", dimension=4, seed=1)
    write_adapter(tmp_path / "a.npz", Adapter(np.roll(EYE, 1, axis=0), new.key))
    house.edit(embed_model={**FAKE, "seed": 1, "adapter": "a.npz"})
    assert asked(house) == pytest.approx(old.embedder().embed_question("a").tolist())
    house.ingest()
    assert asked(house) == pytest.approx(np.roll(new.embedder().embed_question("a"), 1).tolist())
    house.edit(embed_model={**FAKE, "seed": 1})
    assert asked(house) == pytest.approx(new.embedder().embed_question("a").tolist())


def test_a_page_that_is_open_sees_that_it_was_trained_again(tmp_path: Path) -> None:
    key = FakeModel(type="fake", dimension=4).key
    house = House(tmp_path, {"embed_model": {**FAKE, "adapter": "a.npz"}})
    entry = Entry(house.file)
    found = []
    for factor in (1, 2):
        write_adapter(tmp_path / "a.npz", Adapter(factor * EYE, key))
        model = entry.config().spec.embed_model
        assert model.held is not None
        found.append(model.held.content)
    assert found == [Adapter(EYE, key).content, Adapter(2 * EYE, key).content]
    entry.close()

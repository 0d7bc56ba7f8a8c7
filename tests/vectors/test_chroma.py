"""A real Chroma: in a folder, from several processes, damaged, and behind HTTP."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines.components.vector_stores import ChromaStore, VectorStore
from pipelines.errors import StorageError
from pipelines.index import VectorIndex
from pipelines.ingestion.lock import only_ingestion
from pipelines.ingestion.sweep import prune
from pipelines.vectors.chroma import DamagedVectors
from tests.support.house import House

SIZE = 32
STORE = ChromaStore(type="chroma")


def opened(storage: Path, collection: str = "gen-1") -> VectorIndex:
    return STORE.build(storage=storage, collection=collection, dimension=SIZE)


def drawn(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, SIZE)).astype(np.float32)


def names(count: int, start: int = 0) -> list[str]:
    return [f"n{number}" for number in range(start, start + count)]


def bytes_of(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


def test_what_was_added_is_found_by_cosine(tmp_path: Path) -> None:
    index = opened(tmp_path)
    assert index.query(drawn(1)[0], 5) == []
    matrix = drawn(50)
    index.add(names(50), matrix * 7)  # length must not matter
    hits = index.query(matrix[3], 100)
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
    cosine = unit @ unit[3]
    assert [hit.id for hit in hits] == [f"n{number}" for number in np.argsort(-cosine)]
    assert np.allclose([hit.score for hit in hits], sorted(cosine, reverse=True), atol=1e-5)
    assert index.count() == 50
    assert sorted(index.ids()) == sorted(names(50))
    index.close()


def test_add_replaces_and_delete_ignores_the_unknown(tmp_path: Path) -> None:
    index = opened(tmp_path)
    matrix = drawn(3)
    index.add(names(3), matrix)
    index.add(["n0"], matrix[2:3])
    assert {hit.id for hit in index.query(matrix[2], 2)} == {"n0", "n2"}
    index.delete(["n1", "never"])
    index.delete([])
    index.add([], np.empty((0, SIZE), np.float32))
    assert sorted(index.ids()) == ["n0", "n2"]
    index.close()


def test_any_number_at_once(tmp_path: Path) -> None:
    index = opened(tmp_path)
    index.add(names(6_000), drawn(6_000))  # Chroma itself refuses more than 5,461
    assert index.count() == len(set(index.ids())) == 6_000
    index.delete(names(5_990))
    assert len(index.query(drawn(1, 1)[0], 50)) == 10
    index.close()


def test_recall_and_size(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(40, SIZE))
    matrix = (centres[rng.integers(0, 40, 5_000)] + 0.6 * rng.normal(size=(5_000, SIZE))).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    index = opened(tmp_path)
    index.add(names(5_000), matrix)
    right = 0
    for vector in matrix[:50]:
        best = {f"n{number}" for number in np.argsort(-(matrix @ vector))[:20]}
        right += len(best & {hit.id for hit in index.query(vector, 20)})
    assert right / (50 * 20) >= 0.98
    index.close()
    assert bytes_of(tmp_path) / 5_000 < 3_000 - 4 * (384 - SIZE)


def test_collections_are_apart_and_drop_takes_one(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path, "gen-2")
    one.add(["a"], drawn(1))
    two.add(["b"], drawn(1))
    one.drop()
    one.close()
    assert list(two.ids()) == ["b"]
    again = opened(tmp_path)
    assert again.count() == 0
    again.close()
    two.close()
    two.close()


WRITER = """
import sys
from pathlib import Path
import numpy as np
from tests.vectors.test_chroma import drawn, names, opened
index = opened(Path(sys.argv[1]))
start = int(sys.argv[2])
print("open", flush=True)
while True:
    index.add(names(300, start), drawn(300, start))
    start += 300
    print(start, flush=True)
    if len(sys.argv) > 3 and start >= int(sys.argv[3]):
        break
index.close()
"""


def writer(storage: Path, *args: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(storage), *map(str, args)]
    root = str(Path(__file__).parents[2])
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": root}
    )


def test_a_reader_sees_what_another_process_wrote(tmp_path: Path) -> None:
    first = opened(tmp_path)
    first.add(names(10), drawn(10))
    readers = [opened(tmp_path), opened(tmp_path)]
    other = opened(tmp_path / "other")
    other.add(["x"], drawn(1))
    assert writer(tmp_path, 100, 400).wait(60) == 0
    question = drawn(300, 100)[7]
    assert readers[0].query(question, 1)[0].id != "n107"  # Chroma shows what it first loaded
    readers[0].close()
    again = opened(tmp_path)  # while another reader of this process stays open
    assert again.query(question, 1)[0].id == "n107"
    assert again.query(question, 1)[0].score == pytest.approx(1, abs=1e-5)
    assert readers[1].query(drawn(10)[4], 1)[0].id == "n4"
    assert other.query(drawn(1)[0], 1)[0].id == "x"
    for index in (first, readers[1], other, again):
        index.close()


def test_readers_that_come_and_go_do_no_harm_to_a_writer(tmp_path: Path) -> None:
    """Without turns this damages the HNSW files within a second or two: "Error finding id"."""
    opened(tmp_path).close()
    child = writer(tmp_path, 0, 6_000)
    longest = 0.0
    while child.poll() is None:
        start = time.perf_counter()
        index = opened(tmp_path)
        hits = index.query(drawn(1, 5)[0], 20)
        assert len({hit.id for hit in hits}) == min(20, len(hits))
        index.close()
        longest = max(longest, time.perf_counter() - start)
        time.sleep(0.02)
    index = opened(tmp_path)
    assert index.count() == 6_000
    for number in (0, 1_500, 5_700):
        assert index.query(drawn(300, number)[9], 1)[0].id == f"n{number + 9}"
    index.close()
    assert longest < 10


def test_a_killed_writer_loses_nothing_or_is_reported(tmp_path: Path) -> None:
    done = 0
    for pause in (0.05, 0.3, 0.6):
        child = writer(tmp_path, done)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(pause)
        child.kill()
        lines = child.communicate()[0].split()
        done = int(lines[-1]) if lines else done
        try:
            index = opened(tmp_path)
        except DamagedVectors:
            STORE.discard(storage=tmp_path, collection="gen-1")
            index = opened(tmp_path)
            index.add(names(done), drawn(done))
        held = set(index.ids())
        assert set(names(done)) <= held
        index.close()


def test_many_threads_ask_at_once(tmp_path: Path) -> None:
    index = opened(tmp_path)
    matrix = drawn(500)
    index.add(names(500), matrix)
    wrong: list[str] = []

    def ask(offset: int) -> None:
        found = [
            (f"n{number}", index.query(matrix[number], 3)[0].id) for number in range(offset, offset + 60)
        ]
        wrong.extend(one for one, other in found if one != other)

    threads = [threading.Thread(target=ask, args=(offset,)) for offset in range(0, 480, 60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    index.close()


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    index = opened(tmp_path)
    index.add(names(2_000), drawn(2_000))
    index.close()
    return tmp_path


@pytest.mark.parametrize(
    "name", ["data_level0.bin", "length.bin", "link_lists.bin", "header.bin", "index_metadata.pickle"]
)
def test_a_cut_file_is_reported_and_can_be_discarded(filled: Path, name: str) -> None:
    file = next(filled.rglob(name))
    os.truncate(file, 16 if name == "header.bin" else file.stat().st_size // 2)
    with pytest.raises(
        DamagedVectors, match=r"chroma: the vectors are damaged .*; run ingest, which builds them"
    ):
        opened(filled)
    STORE.discard(storage=filled, collection="gen-1")
    index = opened(filled)
    index.add(names(3), drawn(3))
    assert len(index.query(drawn(1)[0], 9)) == 3
    index.close()


def test_lengths_that_no_list_has_are_never_allocated(filled: Path) -> None:
    file = next(filled.rglob("link_lists.bin"))
    content = file.read_bytes()
    file.write_bytes(b"\xf0\xff\xff\x0f" + content[4:])
    with pytest.raises(DamagedVectors, match=r"link_lists\.bin"):
        opened(filled)


def test_a_missing_folder_of_vectors_is_reported(filled: Path) -> None:
    shutil.rmtree(next(filled.rglob("data_level0.bin")).parent)
    with pytest.raises(DamagedVectors, match="2000 vectors are recorded but not found"):
        opened(filled)


def test_a_catalog_of_chroma_that_is_no_database(filled: Path) -> None:
    assert STORE.present(filled)
    assert not STORE.present(filled / "elsewhere")
    (filled / "chroma" / "chroma.sqlite3").write_bytes(b"not a database" * 500)
    with pytest.raises(DamagedVectors, match="file is not a database"):
        opened(filled)
    STORE.discard(storage=filled, collection="gen-1")
    index = opened(filled)
    assert index.count() == 0
    index.close()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "chroma").write_text("x")
    with pytest.raises(StorageError, match="can't be used for vectors"):
        opened(tmp_path)


def test_vectors_of_another_model(filled: Path) -> None:
    with pytest.raises(StorageError, match="belongs to another embed_model"):
        STORE.build(storage=filled, collection="gen-1", dimension=SIZE + 1)


def test_nothing_is_left_open(tmp_path: Path) -> None:
    opened(tmp_path).close()
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        opened(tmp_path).close()
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) <= before + 10


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    command = [
        str(Path(sys.executable).with_name("chroma")),
        "run",
        "--path",
        str(folder),
        "--port",
        str(port),
    ]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield {"type": "chroma", "host": "127.0.0.1", "port": port}
    child.kill()
    child.wait()


def test_a_server(server: dict[str, object], tmp_path: Path) -> None:
    store = TypeAdapter(VectorStore).validate_python({**server, "token": "secret-token"})
    index = store.build(storage=tmp_path, collection="gen-1", dimension=SIZE)
    assert index.query(drawn(1)[0], 3) == []
    matrix = drawn(2_500)
    index.add(names(2_500), matrix)
    other = store.build(storage=tmp_path, collection="gen-1", dimension=SIZE)
    other.delete(["n1"])
    assert index.query(matrix[5], 1)[0].id == "n5"
    assert index.query(matrix[5], 1)[0].score == pytest.approx(1, abs=1e-5)
    assert index.count() == 2_499
    index.drop()
    other.close()
    index.close()
    assert store.present(tmp_path)
    assert not list(tmp_path.iterdir())


def test_two_storages_on_one_server_leave_each_other_alone(server: dict[str, object], tmp_path: Path) -> None:
    store = {**server, "token": "secret-token"}
    houses = [House(tmp_path / name, {"vector_store": store}) for name in ("one", "other")]
    for house in houses:
        house.fill(2)
        house.ingest()
        assert house.agrees()
    config, catalog = houses[0].config, houses[0].catalog()
    with only_ingestion(config.storage):
        assert prune(config, catalog)["entries"] == 0
    catalog.close()
    assert houses[0].agrees() and houses[1].agrees()
    houses[0].edit(embed_model={"type": "fake", "seed": 1})
    houses[0].ingest()
    assert houses[0].agrees() and houses[1].agrees()


def test_no_server(tmp_path: Path) -> None:
    store = ChromaStore(type="chroma", host="127.0.0.1", port=9)
    with pytest.raises(
        StorageError, match=r"http://127.0.0.1:9: the Chroma server doesn't answer; check host"
    ):
        store.build(storage=tmp_path, collection="gen-1", dimension=SIZE)


def test_fields_of_a_server_need_a_host() -> None:
    with pytest.raises(ValidationError, match="port, ssl needs host"):
        ChromaStore(type="chroma", port=9000, ssl=True)

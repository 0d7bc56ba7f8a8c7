from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from pipelines.errors import StorageError
from pipelines.keyword import TantivyIndex
from pipelines.text.analyser import Analyser

TEXTS = {
    "leave": "员工入职满一年后享有带薪年假十五天，病假另计。",
    "pump": "The R123-78 pump needs firmware v1.5.9 and speaks HTTP/2.",
    "expenses": "Travel expenses are refunded within thirty days of the journey.",
    "mixed": "请在 iPhone 15 上安装 Searchask，然后登录。",
}


def written(folder: Path, analyser: Analyser | None = None) -> TantivyIndex:
    index = TantivyIndex(folder, analyser or Analyser(), writable=True)
    index.add(TEXTS.items())
    index.commit()
    return index


def found(index: TantivyIndex, question: str) -> list[str]:
    return [hit.id for hit in index.search(question, 5)]


@pytest.mark.parametrize(
    ("question", "key"),
    [
        ("年假有几天？", "leave"),
        ("假", "leave"),
        ("满", "leave"),
        ("R123-78", "pump"),
        ("r123", "pump"),
        ("78", "pump"),
        ("Ｒ１２３－７８", "pump"),
        ("version 1.5.9?", "pump"),
        ("http/2", "pump"),
        ("Is travelling refundable? The expense of a journey", "expenses"),
        ("ＩＰＨＯＮＥ怎么安装", "mixed"),
    ],
)
def test_finds(tmp_path: Path, question: str, key: str) -> None:
    index = written(tmp_path)
    assert found(index, question)[:1] == [key]
    index.close()


def test_says_which_terms_matched(tmp_path: Path) -> None:
    index = written(tmp_path)
    (hit,) = index.search("Which firmware does the R123-78 need for Bluetooth?", 5)
    assert hit.terms == ("firmwar", "r123-78", "r123", "78", "need")
    assert hit.score > 0
    many = " ".join(f"missing{number}" for number in range(50))
    index.add([("long", many)])
    index.commit()
    assert len(index.search(many, 5)[0].terms) == 50
    index.close()


def test_a_question_of_function_words_alone_matches_only_them(tmp_path: Path) -> None:
    index = written(tmp_path)
    assert found(index, "怎么办呢") == []
    assert found(index, "") == []
    assert found(index, "?!") == []
    assert found(index, "Quantum chromodynamics of the gluon") == []
    index.close()


def test_an_unknown_compound_gives_way_to_its_parts(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path, Analyser(), writable=True)
    index.add([("a", "共和国成立了"), ("b", "天气很好")])
    index.commit()
    assert found(index, "中华人民共和国") == ["a"]
    index.close()


def test_add_replaces_and_delete_forgets(tmp_path: Path) -> None:
    index = written(tmp_path)
    index.add([("leave", "产假")])
    index.delete(["pump", "never there"])
    assert found(index, "年假") == ["leave"], "seen after commit only"
    index.commit()
    assert found(index, "年假") == []
    assert found(index, "产假") == ["leave"]
    assert sorted(index.ids()) == ["expenses", "leave", "mixed"]
    assert index.count() == 3
    index.close()


def test_what_was_not_committed_is_gone(tmp_path: Path) -> None:
    index = written(tmp_path)
    index.add([("more", "加班")])
    index.close()
    assert sorted(TantivyIndex(tmp_path, Analyser(), writable=False).ids()) == sorted(TEXTS)


def test_idf_mass_counts_terms_that_no_text_holds(tmp_path: Path) -> None:
    index = written(tmp_path)
    known, unknown = index.idf_mass("firmware"), index.idf_mass("bluetooth")
    assert 0 < known < unknown
    assert index.idf_mass("the firmware is of bluetooth") == pytest.approx(known + unknown)
    index.close()


def test_a_reader_sees_another_process_after_reload(tmp_path: Path) -> None:
    writer = written(tmp_path)
    reader = TantivyIndex(tmp_path, Analyser(), writable=False)
    writer.add([("new", "加班费怎么算")])
    writer.commit()
    assert found(reader, "加班费") == []
    reader.reload()
    assert found(reader, "加班费") == ["new"]
    with pytest.raises(StorageError, match="opened for reading"):
        reader.add([("x", "y")])
    writer.close()


def test_words_of_the_dictionary_stay_whole(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path, Analyser(("数智员工", "R 9")), writable=True)
    index.add([("a", "数智员工平台"), ("b", "数字员工，智能平台"), ("c", "Model R 9 is out; r 90 is not")])
    index.commit()
    assert found(index, "数智员工") == ["a"]
    assert found(index, "r 9") == ["c"]
    index.close()


CHILD = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from pipelines.keyword import TantivyIndex
    from pipelines.text.analyser import Analyser

    index = TantivyIndex(Path(sys.argv[1]), Analyser(), writable=True)
    index.add((f"kept{number}", f"保留 text {number}") for number in range(300))
    index.commit()
    index.add((f"lost{number}", f"丢失 text {number}") for number in range(3000))
    os.kill(os.getpid(), signal.SIGKILL)
    """
)


def test_a_killed_writer_leaves_the_last_commit_and_no_lock(tmp_path: Path) -> None:
    for _ in range(2):
        child = subprocess.run([sys.executable, "-c", CHILD, str(tmp_path)], check=False)
        assert child.returncode == -signal.SIGKILL
        assert TantivyIndex(tmp_path, Analyser(), writable=False).count() == 300
    index = TantivyIndex(tmp_path, Analyser(), writable=True)
    index.add([("after", "恢复")])
    index.commit()
    assert index.count() == 301
    index.close()


def test_killed_while_the_folder_is_made(tmp_path: Path) -> None:
    (tmp_path / ".tantivy-meta.lock").touch()
    (tmp_path / ".managed.json").write_text("[]")
    index = written(tmp_path)
    assert index.count() == 4
    index.close()


def test_two_writers(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = TantivyIndex(tmp_path, Analyser(), writable=True)
    with pytest.raises(StorageError, match="another process is writing"):
        second.add([("x", "y")])
    first.close()
    second.add([("x", "y")])
    second.commit()
    assert second.count() == 5
    second.close()


def test_many_commits_leave_few_files(tmp_path: Path) -> None:
    index = TantivyIndex(tmp_path, Analyser(), writable=True)
    for batch in range(24):
        index.add((f"{batch}-{number}", f"第{number}条 entry {batch}") for number in range(20))
        index.commit()
    index.close()
    assert TantivyIndex(tmp_path, Analyser(), writable=False).count() == 480
    assert len(list(tmp_path.iterdir())) < 80


def test_no_index_yet(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is none yet"):
        TantivyIndex(tmp_path / "none", Analyser(), writable=False)


def test_a_foreign_folder(tmp_path: Path) -> None:
    (tmp_path / "thesis.docx").write_bytes(b"years of work")
    with pytest.raises(StorageError, match="holds something else"):
        TantivyIndex(tmp_path, Analyser(), writable=True)
    assert (tmp_path / "thesis.docx").exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"segments": 3}', os.urandom(200)])
def test_a_damaged_head(tmp_path: Path, content: bytes) -> None:
    written(tmp_path).close()
    (tmp_path / "meta.json").write_bytes(content)
    for writable in (False, True):
        with pytest.raises(StorageError, match="delete this folder"):
            TantivyIndex(tmp_path, Analyser(), writable=writable)


@pytest.mark.parametrize("suffix", ["term", "idx", "store", "fieldnorm"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut"])
def test_a_damaged_segment(tmp_path: Path, suffix: str, damage: str) -> None:
    written(tmp_path).close()
    for path in tmp_path.glob(f"*.{suffix}"):
        content = path.read_bytes()
        path.unlink()
        if damage != "missing":
            path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    with pytest.raises(StorageError, match="delete this folder"):
        TantivyIndex(tmp_path, Analyser(), writable=False).search("firmware", 3)


def test_another_schema(tmp_path: Path) -> None:
    import tantivy

    schema = tantivy.SchemaBuilder().add_text_field("title").build()
    tantivy.Index(schema, path=str(tmp_path))
    with pytest.raises(StorageError, match="another version made it"):
        TantivyIndex(tmp_path, Analyser(), writable=True)

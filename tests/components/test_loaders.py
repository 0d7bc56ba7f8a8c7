"""The loaders: what they list, what they refuse, and that listing opens nothing."""

from __future__ import annotations

import builtins
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from pipelines import documents
from pipelines.components.loaders import Loader
from pipelines.errors import DocumentError, SearchaskError
from pipelines.reading.names import native, portable

ADAPTER: TypeAdapter[Any] = TypeAdapter(Loader)


def loader(base: Path, **fields: object) -> documents.Loader:
    built: documents.Loader = ADAPTER.validate_python(fields).build(base=base)
    return built


def folder(base: Path, **fields: object) -> documents.Loader:
    return loader(base, type="folder", path=".", **fields)


def paths(found: documents.Loader) -> list[str]:
    return [source.path for source in found.scan()]


def tree(base: Path, *names: str) -> None:
    for name in names:
        (base / name).parent.mkdir(parents=True, exist_ok=True)
        (base / name).write_text("text")


def test_importing_the_specs_is_cheap() -> None:
    code = (
        "import sys, pipelines.components.loaders as l; l.FolderLoader(type='folder', path='.');"
        "print([m for m in ('llama_index', 'lxml', 'openpyxl', 'pypdfium2', 'pptx', 'mammoth') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_folder_lists_known_formats_in_a_stable_order(tmp_path: Path) -> None:
    tree(
        tmp_path, "b.md", "a.txt", "sub/c.PDF", "sub/deep/d.docx", "x.bin", ".hidden.md", ".git/e.md", "i.png"
    )
    assert paths(folder(tmp_path)) == ["a.txt", "b.md", "sub/c.PDF", "sub/deep/d.docx"]
    assert paths(folder(tmp_path, hidden=True))[:2] == [".git/e.md", ".hidden.md"]
    source = next(folder(tmp_path).scan())
    assert (source.size, source.modified) == (4, (tmp_path / "a.txt").stat().st_mtime_ns)


@pytest.mark.parametrize(("include", "exclude", "wanted"), [
    (["**/*.md"], [], ["a.md", "s/b.md", "s/t/c.md"]),
    (["*.md"], [], ["a.md"]),
    (["s/*.md"], [], ["s/b.md"]),
    (["s/**"], [], ["s/b.md", "s/t/c.md", "s/t/d.txt"]),
    (["**/*.{md,txt}"], ["s/t"], ["a.md", "s/b.md"]),
    (["**/*.{md,txt}"], ["s/t/**"], ["a.md", "s/b.md"]),
    ([], ["**/[bc].md"], ["a.md", "s/t/d.txt"]),
    (["**/?.MD"], ["**/a*"], ["s/b.md", "s/t/c.md"]),
])  # fmt: skip
def test_globs(tmp_path: Path, include: list[str], exclude: list[str], wanted: list[str]) -> None:
    tree(tmp_path, "a.md", "s/b.md", "s/t/c.md", "s/t/d.txt")
    assert paths(folder(tmp_path, include=include, exclude=exclude)) == wanted


def test_two_files_of_one_name_are_two_documents(tmp_path: Path) -> None:
    tree(tmp_path, "x/readme.md", "y/readme.md")
    assert paths(folder(tmp_path)) == ["x/readme.md", "y/readme.md"]


def test_an_explicitly_included_unknown_format_says_so(tmp_path: Path) -> None:
    tree(tmp_path, "a.xyz")
    (source,) = folder(tmp_path, include=["**/*"]).scan()
    assert "'.xyz' is not supported" in source.problem


def test_missing_folder_and_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match=r"there is no folder .*nowhere"):
        loader(tmp_path, type="folder", path="nowhere")
    assert paths(folder(tmp_path)) == []


def test_too_large_is_refused_without_opening(tmp_path: Path) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.truncate(300_000_000)
    (source,) = folder(tmp_path).scan()
    assert source.problem == "too large: 300.0 MB, and max_file_size is 50.0 MB"
    with pytest.raises(DocumentError, match="too large"):
        folder(tmp_path).fetch(source)
    assert next(folder(tmp_path, max_file_size="1GB").scan()).problem == ""
    with pytest.raises(ValidationError):
        folder(tmp_path, max_file_size="many")


NAMES = [b"new\nline.md", "emoji 😀 中文.md".encode(), b"latin-\xe9\xff.md", b"per%cent %25 %E9.md", b"% .md"]


@pytest.mark.parametrize("name", NAMES)
def test_any_file_name_survives(tmp_path: Path, name: bytes) -> None:
    real = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    Path(real).write_text("# hello\n")
    found = folder(tmp_path)
    (source,) = found.scan()
    source.path.encode("utf-8")
    assert native(source.path) == os.fsdecode(name)
    assert found.read(source, found.fetch(source)).text == "# hello\n"


def test_names_that_look_escaped_stay_apart() -> None:
    names = ["a%E9", os.fsdecode(b"a\xe9"), "a%25E9", "a%", "100%", "%2", os.fsdecode(b"%\x80")]
    assert len({portable(name) for name in names}) == len(names)
    assert [native(portable(name)) for name in names] == names


def test_links(tmp_path: Path) -> None:
    root = tmp_path / "root"
    tree(root, "real/a.md")
    tree(tmp_path, "outside.md", "out/b.md")
    (root / "inside.md").symlink_to("real/a.md")
    (root / "folder").symlink_to("real")
    (root / "real/loop").symlink_to("..")
    (root / "self.md").symlink_to("self.md")
    (root / "outside.md").symlink_to("../outside.md")
    (root / "out").symlink_to("../out")
    refused = {"out", "outside.md", "real/loop", "self.md"}
    found = {source.path: source.problem for source in folder(root).scan()}
    assert {path for path, problem in found.items() if not problem} == {"real/a.md"}
    assert set(found) - {"real/a.md"} == refused - {"real/loop"}
    found = {source.path: source.problem for source in folder(root, follow_symlinks=True).scan()}
    assert {path for path, problem in found.items() if not problem} == {
        "real/a.md",
        "inside.md",
        "folder/a.md",
    }
    assert "outside the folder" in found["outside.md"]
    assert "a folder it lies in" in found["real/loop"]
    with pytest.raises(DocumentError, match="outside the folder"):
        folder(root).fetch(documents.Source("outside.md"))
    with pytest.raises(DocumentError, match="outside the folder"):
        folder(root).fetch(documents.Source("../outside.md"))


def test_pipes_are_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    assert paths(folder(tmp_path)) == []
    with pytest.raises(DocumentError, match="not a regular file"):
        folder(tmp_path).fetch(documents.Source("pipe.md"))


def test_a_file_that_vanishes_is_not_found(tmp_path: Path) -> None:
    tree(tmp_path, "a.md")
    found = folder(tmp_path)
    (source,) = found.scan()
    (tmp_path / "a.md").unlink()
    with pytest.raises(FileNotFoundError):
        found.fetch(source)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list every folder")
def test_a_folder_that_cannot_be_listed_stops_the_scan(tmp_path: Path) -> None:
    tree(tmp_path, "locked/a.md")
    (tmp_path / "locked").chmod(0)
    with pytest.raises(SearchaskError, match="can't be listed"):
        paths(folder(tmp_path))
    (tmp_path / "locked").chmod(0o700)


def test_ten_thousand_files_are_listed_quickly_and_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(100):
        (tmp_path / f"d{number:02}").mkdir()
        for inner in range(100):
            (tmp_path / f"d{number:02}/f{inner:02}.md").touch()
    found = folder(tmp_path, include=["**/*.md", "**/*.pdf"], exclude=["**/drafts/**"])

    def refuse(*args: object, **kwargs: object) -> None:
        raise AssertionError("a scan opened a file")

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(builtins, "open", refuse)
    begun = time.perf_counter()
    assert len(paths(found)) == 10_000
    assert time.perf_counter() - begun < 1.0


def test_identity_holds_only_what_changes_the_text() -> None:
    one = ADAPTER.validate_python(
        {"type": "folder", "path": "a", "include": ["*.md"], "max_file_size": "1MB"}
    )
    two = ADAPTER.validate_python({"type": "folder", "path": "b"})
    assert one.identity() == two.identity() == {"type": "folder", "ocr": False, "encoding": None}
    assert (
        ADAPTER.validate_python({"type": "folder", "path": "b", "encoding": "gbk"}).identity()
        != two.identity()
    )


def test_an_unknown_encoding_is_refused() -> None:
    with pytest.raises(ValidationError, match="there is no encoding 'utf-9'"):
        ADAPTER.validate_python({"type": "folder", "path": ".", "encoding": "utf-9"})


def test_files(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "sub/b.txt")
    found = loader(tmp_path, type="files", paths=["./a.md", "sub/b.txt", str(tmp_path / "a.md")])
    assert paths(found) == ["./a.md", "sub/b.txt", str(tmp_path / "a.md")]
    for source in found.scan():
        assert found.read(source, found.fetch(source)).text == "text"
    (tmp_path / "a.md").unlink()
    with pytest.raises(SearchaskError, match=r"no such file: \./a\.md"):
        paths(found)
    with pytest.raises(SearchaskError, match=r"no such file: .*gone\.md"):
        loader(tmp_path, type="files", paths=["gone.md"])
    with pytest.raises(ValidationError, match=r"'a\.md' is listed twice"):
        loader(tmp_path, type="files", paths=["a.md", "a.md"])
    (source,) = loader(tmp_path, type="files", paths=["sub"]).scan()
    assert "use type: folder" in source.problem


def test_llama_index_reader(tmp_path: Path) -> None:
    tree(tmp_path, "docs/a.md", "docs/b.txt")
    found = loader(
        tmp_path,
        type="llama_index",
        **{"class": "llama_index.core.readers.SimpleDirectoryReader"},
        args={"input_dir": str(tmp_path / "docs")},
    )
    assert sorted(paths(found)) == sorted(paths(found)) == ["docs/a.md", "docs/b.txt"]
    for source in found.scan():
        assert found.read(source, found.fetch(source)).text == "text"
    with pytest.raises(DocumentError, match="does not give it any more"):
        found.fetch(documents.Source("other"))


def test_llama_index_names_are_stable_and_unique(tmp_path: Path) -> None:
    found = loader(
        tmp_path,
        type="llama_index",
        **{"class": "llama_index.core.readers.string_iterable.StringIterableReader"},
        load_args={"texts": ["one", "two"]},
    )
    assert paths(found) == paths(found) == ["document-1", "document-2"]


@pytest.mark.parametrize(("name", "why"), [
    ("os.path", "must live under llama_index"),
    ("llama_index.core.schema.TextNode", "no load_data"),
    ("llama_index.readers.nothing.Reader", "pip install"),
])  # fmt: skip
def test_llama_index_refusals(tmp_path: Path, name: str, why: str) -> None:
    with pytest.raises(SearchaskError, match=why):
        loader(tmp_path, type="llama_index", **{"class": name})

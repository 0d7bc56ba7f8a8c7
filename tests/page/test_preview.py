"""The preview: the text in pieces, the counts, another size, and that nothing is embedded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import SearchaskError
from pipelines.models.embedder import Embedder
from pipelines.models.fake import FakeEmbedding
from pipelines.page import preview as page
from pipelines.page.preview import Preview, chosen, preview, previewable
from tests.support.files import pdf
from tests.support.house import EN, ZH, House

TEXT = f"# 员工手册\n\n{ZH}\n\n## Visitors\n\n{EN}\n\n" + "".join(
    f"这是第{number}条规定，各部门均须遵守。Rule {number} holds for everyone. " for number in range(30)
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.write("手册.md", TEXT)
    return house


@pytest.fixture(autouse=True)
def _no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("something was embedded")

    monkeypatch.setattr(FakeEmbedding, "_get_text_embedding", refuse)
    monkeypatch.setattr(Embedder, "embed", refuse)


def shown(house: House, name: str = "手册.md", **options: Any) -> Preview:
    return preview(house.config, None, "files", name, **{"language": "en", **options})


def chunk(found: Preview, number: int) -> str:
    return "".join(piece["text"] for piece in found.segments if number in piece["chunks"])


def test_pieces_make_up_the_text_and_chunks_are_what_is_indexed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = shown(house)
    assert "".join(piece["text"] for piece in found.segments) == TEXT
    assert found.chunks == max(number for piece in found.segments for number in piece["chunks"]) > 5
    assert any(len(piece["chunks"]) == 2 for piece in found.segments), "neighbours overlap by 8 tokens"
    for number in range(1, found.chunks + 1):
        first = next(piece for piece in found.segments if number in piece["chunks"])
        assert first["edge"], "a chunk begins at an edge"
    monkeypatch.undo()
    house.ingest()
    assert [chunk(found, number + 1) for number in range(found.chunks)] == house.live()["手册.md"]


def test_note_in_both_languages(house: House) -> None:
    found = shown(house)
    assert found.note.startswith(f"{found.chunks} chunks; tokens in a chunk: ")
    assert found.note.endswith("on average; chunk_size 64; chunk_overlap 8")
    assert found.remarks == []
    chinese = shown(house, language="zh")
    assert chinese.note.startswith(f"共 {found.chunks} 块；每块 ")


def test_another_size_leaves_the_config_and_the_overlap_alone(house: House) -> None:
    small, large = shown(house, chunk_size=32), shown(house, chunk_size=256)
    assert small.chunks > shown(house).chunks > large.chunks
    assert (small.chunk_size, small.chunk_overlap) == (32, 8)
    assert (large.chunk_size, large.chunk_overlap) == (256, 8)
    assert shown(house, chunk_size=64).segments == shown(house).segments


def test_overlap_stays_below_the_size(house: House) -> None:
    house.edit(node_parser={"type": "sentence", "chunk_size": 256, "chunk_overlap": 64})
    assert shown(house, chunk_size=32).chunk_overlap == 8
    assert shown(house, chunk_size=32, chunk_overlap=0).chunk_overlap == 0
    with pytest.raises(SearchaskError, match=r"from 0 to below chunk_size \(32\)"):
        shown(house, chunk_size=32, chunk_overlap=32)


@pytest.mark.parametrize("size", [0, -5, 15, 10**9])
def test_a_size_out_of_range_is_a_sentence(house: House, size: int) -> None:
    with pytest.raises(SearchaskError, match="chunk_size must be a whole number from 16 to 100,000"):
        shown(house, chunk_size=size)


def test_a_parser_without_chunk_size_says_so(house: House) -> None:
    house.edit(node_parser={"type": "hierarchical", "chunk_sizes": [128, 64], "chunk_overlap": 0})
    found = shown(house, chunk_size=32)
    assert "has no chunk_size" in found.remarks[0]
    assert found.chunk_size is None
    assert found.segments == shown(house).segments
    assert shown(house).remarks == []


def test_a_parser_that_embeds_is_refused(house: House) -> None:
    house.edit(node_parser={"type": "semantic"})
    with pytest.raises(SearchaskError, match="`semantic` embeds every sentence"):
        shown(house)
    path = "llama_index.core.node_parser.SemanticSplitterNodeParser"
    house.edit(node_parser={"type": "llama_index", "class": path})
    with pytest.raises(SearchaskError, match="不做向量化"):
        shown(house, language="zh")


def test_chunks_that_are_written_anew_stand_one_by_one(house: House) -> None:
    house.edit(node_parser={"type": "json"})
    house.write("list.json", '[{"name": "阀门", "price": 12}, {"name": "gasket", "price": 3}]')
    found = shown(house, "list.json")
    assert [piece["chunks"] for piece in found.segments] == [[1], [2]]
    assert "阀门" in found.segments[0]["text"] and "gasket" in found.segments[1]["text"]
    assert "anew" in found.remarks[0]


def test_a_long_document_is_shown_in_part(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.write("long.txt", "".join(f"Sentence number {number} is here. " for number in range(4000)))
    found = shown(house, "long.txt")
    assert sum(len(piece["text"]) for piece in found.segments) == page.SHOWN
    assert found.remarks == ["Only the first 60,000 characters are shown."]
    assert found.chunks > max(number for piece in found.segments for number in piece["chunks"])
    monkeypatch.setattr(page, "CUT", 1000)
    assert shown(house, "long.txt").remarks == [
        "The document is long: only its first 1,000 characters were cut here."
    ]


def test_an_overlap_near_the_size_cuts_little(house: House) -> None:
    house.edit(node_parser={"type": "token", "chunk_size": 256, "chunk_overlap": 0})
    house.write("long.txt", "".join(f"Sentence number {number} is here. " for number in range(20_000)))
    found = shown(house, "long.txt", chunk_size=100_000, chunk_overlap=99_999)
    assert found.remarks == ["The document is long: only its first 50 characters were cut here."]
    assert "first 19,531 characters" in shown(house, "long.txt", chunk_overlap=255).remarks[0]
    assert "first 500,000 characters" in shown(house, "long.txt", chunk_overlap=128).remarks[0]


def test_the_catalogs_text_serves_while_the_file_is_the_same(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    (house.docs / "page.pdf").write_bytes(
        pdf([["# Leave", "Staff have fifteen days.", "员工有十五天年假。"]])
    )
    monkeypatch.undo()
    house.ingest()
    catalog = house.catalog()
    monkeypatch.setattr("pipelines.reading.read.read_document", lambda *_: pytest.fail("it was read again"))
    found = preview(house.config, catalog, "files", "page.pdf", language="en")
    assert "员工有十五天年假" in "".join(piece["text"] for piece in found.segments)
    monkeypatch.undo()
    house.write("手册.md", "# 新手册\n\n内容全部换过。")
    fresh = preview(house.config, catalog, "files", "手册.md", language="zh")
    assert "内容全部换过" in fresh.segments[-1]["text"]
    catalog.close()


def test_only_documents_of_the_loader(house: House) -> None:
    (house.root / "secret.md").write_text("a secret")
    for name in ("../secret.md", str(house.root / "secret.md"), "none.md"):
        with pytest.raises(SearchaskError, match="There is no document"):
            shown(house, name)
    with pytest.raises(SearchaskError, match="no document"):
        preview(house.config, None, "nobody", "手册.md", language="en")
    house.write("broken.pdf", "no PDF")
    with pytest.raises(SearchaskError, match=r"broken\.pdf: not a readable PDF"):
        shown(house, "broken.pdf")


def test_what_can_be_previewed(house: House) -> None:
    house.write("a/b.txt", EN)
    (house.root / "more").mkdir()
    (house.root / "more" / "b.txt").write_text(EN)
    assert [label for label, _ in previewable(house.config, None)] == ["a/b.txt", "手册.md"]
    more = {"type": "folder", "path": "more"}
    house.edit(
        loaders={**house.settings["loaders"], "more": more, "web": {"type": "web", "urls": ["http://a.b/c"]}}
    )
    found = previewable(house.config, None)
    assert [label for label, _ in found] == [
        "files: a/b.txt",
        "files: 手册.md",
        "more: b.txt",
        "web: http://a.b/c",
    ]
    assert chosen(found[2][1]) == ("more", "b.txt")
    house.edit(loaders={"gone": {"type": "folder", "path": "gone"}, "more": more})
    assert [label for label, _ in previewable(house.config, None)] == ["more: b.txt"]


@pytest.mark.parametrize("value", ["", "x", "[1]", "null"])
def test_a_foreign_value_is_a_sentence(value: str) -> None:
    with pytest.raises(SearchaskError, match="choose a document"):
        chosen(value)

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.schema import Document, NodeRelationship, TextNode
from pydantic import TypeAdapter, ValidationError

from pipelines.components.node_parsers import NodeParser
from pipelines.errors import MissingExtra, SearchaskError
from pipelines.text.tokens import count_tokens

DATA = Path(__file__).parent.parent / "text" / "data"
DOCUMENTS = {path.name: path.read_text("utf-8") for path in sorted(DATA.iterdir())}
METADATA = "metadata that is far longer than a chunk may be " * 100

FAMILY = [
    {"type": "sentence"},
    {"type": "markdown"},
    {"type": "html"},
    {"type": "json"},
    {"type": "token"},
    {"type": "semantic"},
    {"type": "sentence_window"},
    {"type": "hierarchical", "chunk_sizes": [512, 128]},
    {
        "type": "llama_index",
        "class": "llama_index.core.node_parser.SentenceSplitter",
        "args": {"chunk_size": 200},
    },
]


def spec(given: dict[str, Any]) -> Any:
    return TypeAdapter[Any](NodeParser).validate_python(given)


def no_model() -> NoReturn:
    raise AssertionError("this parser needs no embed model")


def cut(given: dict[str, Any], text: str, *, markdown: bool = False) -> list[TextNode]:
    model = (lambda: MockEmbedding(8)) if given["type"] == "semantic" else no_model
    parser = spec(given).build(embed_model=model)
    nodes: list[TextNode] = parser.get_nodes_from_documents(
        [Document(text=text, metadata={"markdown": markdown, "long": METADATA})]
    )
    return nodes


@pytest.fixture(autouse=True)
def no_nltk(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise AssertionError("nltk was reached")

    import nltk
    from llama_index.core.utils import globals_helper

    monkeypatch.setattr(nltk, "download", refuse)
    monkeypatch.setattr(type(globals_helper), "punkt_tokenizer", property(refuse))
    monkeypatch.setattr(type(globals_helper), "stopwords", property(refuse))


@pytest.mark.parametrize("given", FAMILY, ids=lambda given: given["type"])
@pytest.mark.parametrize("name", DOCUMENTS)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_spans_are_exact_and_chunks_bounded(given: dict[str, Any], name: str, newline: str) -> None:
    text = DOCUMENTS[name].replace("\n", newline)
    nodes = cut(given, text, markdown=name.endswith(".md"))
    assert len({node.node_id for node in nodes}) == len(nodes) > 0
    for node in nodes:
        assert node.text.strip()
        assert node.start_char_idx is not None
        assert text[node.start_char_idx : node.end_char_idx] == node.text
        assert count_tokens(node.text) <= 512
        assert set(node.metadata) <= {"window", "original_text"}
    covered = bytearray(len(text))
    for node in nodes:
        covered[node.start_char_idx : node.end_char_idx] = b"x" * len(node.text)
    lost = "".join(character for character, seen in zip(text, covered, strict=True) if not seen)
    assert not lost.strip(), f"no chunk holds {lost!r}"


@pytest.mark.parametrize("given", FAMILY, ids=lambda given: given["type"])
def test_a_document_without_text_gives_no_node(given: dict[str, Any]) -> None:
    assert cut(given, "") == cut(given, " \n\t\n") == []


@pytest.mark.parametrize("given", FAMILY, ids=lambda given: given["type"])
def test_cutting_again_gives_the_same(given: dict[str, Any]) -> None:
    first, second = (cut(given, DOCUMENTS["handbook.md"], markdown=True) for _ in range(2))
    assert [node.text for node in first] == [node.text for node in second]


def test_repeated_text_has_spans_of_its_own() -> None:
    text = "The ferry stopped. " * 40
    starts = [
        node.start_char_idx for node in cut({"type": "sentence", "chunk_size": 16, "chunk_overlap": 0}, text)
    ]
    assert starts == sorted(set(starts))
    starts = [
        node.start_char_idx for node in cut({"type": "token", "chunk_size": 16, "chunk_overlap": 0}, text)
    ]
    assert starts == sorted(set(starts))


def test_markdown_keeps_a_section_together() -> None:
    texts = [node.text for node in cut({"type": "markdown"}, DOCUMENTS["handbook.md"], markdown=True)]
    assert [text.splitlines()[0] for text in texts] == [
        "# 员工手册 Staff handbook", "## 休假 Leave", "### 天数 Days", "## 设备 Equipment", "## 空节 Empty section",
    ]  # fmt: skip
    assert "## 附录 Appendix" in texts[-1], "a heading with nothing below it stays with what follows"


def test_sentence_window() -> None:
    text = DOCUMENTS["tea.txt"]
    nodes = cut({"type": "sentence_window", "window_size": 1}, text)
    assert len(nodes) == 24
    assert (
        nodes[5].metadata["original_text"]
        == nodes[5].text
        == "鲜叶摊在竹筛上，每隔一个时辰摇一次，摇多少下全凭手感；"
    )
    assert nodes[5].metadata["window"] == text[nodes[4].start_char_idx : nodes[6].end_char_idx]
    assert nodes[0].metadata["window"] == text[: nodes[1].end_char_idx]
    assert nodes[5].get_content() == nodes[5].text


def test_hierarchy_knows_parents_and_children() -> None:
    text = DOCUMENTS["river.txt"]
    nodes = {node.node_id: node for node in cut({"type": "hierarchical", "chunk_sizes": [256, 64]}, text)}
    children = [node for node in nodes.values() if node.parent_node]
    assert 0 < len(nodes) - len(children) < len(children)
    for child in children:
        assert child.parent_node is not None
        parent = nodes[child.parent_node.node_id]
        assert parent.start_char_idx is not None and child.start_char_idx is not None
        assert child.text in parent.text
        assert child.start_char_idx >= parent.start_char_idx
        assert NodeRelationship.CHILD in parent.relationships


def test_html() -> None:
    page = (
        "<html><head><title>Fees</title><script>x()</script></head><body><h1>年费</h1><p>One.</p><p>二。</p>"
        "<table><tr><td>15</td></tr></table></body></html>"
    )
    nodes = cut({"type": "html"}, page)
    assert [node.text for node in nodes] == ["Fees", "年费", "One.\n二。", "15"]
    assert all(node.start_char_idx is None for node in nodes), "they are not parts of the source"


def test_json() -> None:
    nodes = cut({"type": "json"}, '[{"name": {"zh": "水泵"}, "size": 3}, {"name": "valve"}]')
    assert [node.text for node in nodes] == ["name zh 水泵\nsize 3", "name valve"]
    broken = cut({"type": "json"}, '{"name": ')
    assert [(node.text, node.start_char_idx) for node in broken] == [('{"name":', 0)]


def test_code() -> None:
    pytest.importorskip("tree_sitter_language_pack", reason="needs the extra `code`")
    source = "import os\n\n\n" + "\n\n".join(
        f"def function_{number}(path):\n    '''第{number}个'''\n    return os.stat(path).st_size + {number}\n"
        for number in range(40)
    )
    nodes = cut({"type": "code", "language": "python", "chunk_size": 128}, source)
    assert len(nodes) > 8
    for node in nodes:
        assert source[node.start_char_idx : node.end_char_idx] == node.text
        assert count_tokens(node.text) <= 128
        assert node.text.startswith(("def ", "import "))
    prose = cut({"type": "code", "language": "python"}, DOCUMENTS["tea.txt"])
    assert prose and all(node.start_char_idx is not None for node in prose)
    with pytest.raises(SearchaskError, match="language 'klingon' is unknown to tree-sitter"):
        spec({"type": "code", "language": "klingon"}).build(embed_model=no_model)


def test_code_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tree_sitter_language_pack", None)
    with pytest.raises(MissingExtra, match=r'pip install "searchask\[code\]"'):
        spec({"type": "code", "language": "python"}).build(embed_model=no_model)


def test_semantic_cuts_where_meaning_changes() -> None:
    class Topics(MockEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return [1.0, 0.0] if "茶" in text else [0.0, 1.0]

    text = "茶农采茶。茶要烘干。茶叶装箱。Rivers rise. Rivers run. Rivers end."
    parser = spec({"type": "semantic", "breakpoint_percentile": 80}).build(embed_model=lambda: Topics(2))
    texts = [node.text for node in parser.get_nodes_from_documents([Document(text=text)])]
    assert len(texts) == 2
    assert texts[0].startswith("茶农采茶。") and texts[1].endswith("Rivers end.")


def test_llama_index_takes_our_functions() -> None:
    window = {"type": "llama_index", "class": "llama_index.core.node_parser.SentenceWindowNodeParser"}
    assert len(cut(window, DOCUMENTS["tea.txt"])) == 24


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"class": "os.system"}, "must live under llama_index."),
        ({"class": "llama_index.core.llms.MockLLM"}, "is no node parser"),
        (
            {"class": "llama_index.core.node_parser.TokenTextSplitter", "args": {"size": 3}},
            "TokenTextSplitter: .*size",
        ),
        ({"class": "llama_index.core.node_parser.Nothing"}, "there is no class 'Nothing'"),
    ],
)
def test_llama_index_refuses(given: dict[str, Any], message: str) -> None:
    with pytest.raises(SearchaskError, match=message):
        spec({"type": "llama_index", **given}).build(embed_model=no_model)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "sentence", "chunk_overlap": 300}, "chunk_overlap (300) must be below chunk_size (256)"),
        ({"type": "token", "chunk_size": 32}, "chunk_overlap (32) must be below chunk_size (32)"),
        ({"type": "hierarchical", "chunk_sizes": [128, 512]}, "chunk_sizes must go down"),
        (
            {"type": "hierarchical", "chunk_sizes": [512, 16]},
            "chunk_overlap (20) must be below chunk_size (16)",
        ),
        ({"type": "sentence", "chunk_size": 0}, "greater than or equal to 16"),
        ({"type": "sentence", "size": 10}, "Extra inputs are not permitted"),
    ],
)
def test_config_errors(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        spec(given)
    assert message in str(caught.value)


def test_the_family_is_imported_without_llama_index() -> None:
    late = "{'llama_index.core', 'tantivy', 'tiktoken', 'numpy'}"
    code = f"import sys, pipelines.components.node_parsers; assert not {late} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)

"""Each config of `config/pipelines`, from real documents to an answer in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pipelines.config import Config, load_config
from pipelines.ingestion.events import Summary
from pipelines.ingestion.run import ingest
from pipelines.querying.answer import Answer, Citation
from pipelines.querying.chat import Session
from pipelines.querying.knowledge_base import KnowledgeBase
from pipelines.querying.trace import CITED
from tests.support.chat_server import chat_server
from tests.support.cli import ROOT

FOLDER = ROOT / "config" / "pipelines"
WITH_LLM = ("rag_fusion", "hyde", "chat")
WITHOUT = (
    "vector",
    "keyword",
    "hybrid",
    "sentence_window",
    "auto_merging",
    "graph",
    "whole_document",
)

GUIDES = ("en/formats.md", "en/page.md", "zh/formats.md", "zh/page.md")
NOTES = {
    "en/leave-policy.md": "# Leave policy\n\nThe leave policy was written by the Aurora team in 2021.\n",
    "en/aurora-team.md": "# Aurora team\n\nMei Tanaka leads the Aurora team and its nine people.\n",
}

ZH, IN_ZH = "Excel 的合并区域怎样显示？", "zh/formats.md"
ZH_SAID = "Excel 的合并区域，在它的每个单元格里都显示其值"
EN, IN_EN = "When does a login to the page end?", "en/page.md"
EN_SAID = "a login ends after 30 days or when the user is removed"


class Place:
    """The documents, and a storage for each way of cutting, which pipelines share."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.last: Summary | None = None
        for name in GUIDES:
            self.write(name, (ROOT / "docs" / name).read_text(encoding="utf-8"))
        for name, text in NOTES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> None:
        """A document."""
        path = self.root / "docs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def config(self, name: str, **changes: object) -> Config:
        """A shipped config over these documents."""
        shipped = load_config(FOLDER / f"{name}.yaml")
        storage = self.root / shipped.spec.node_parser.type
        over = {"storage": str(storage), "loaders": {"guides": {"path": str(self.root / "docs")}}}
        file = self.root / f"{name}.yaml"
        extended = {"extends": str(FOLDER / f"{name}.yaml"), **over, **changes}
        file.write_text(yaml.safe_dump(extended, allow_unicode=True), encoding="utf-8")
        return load_config(file)

    def open(self, name: str, **changes: object) -> KnowledgeBase:
        """The knowledge base of a shipped config, its index in step."""
        config = self.config(name, **changes)
        self.last = ingest(config)
        assert (self.last.outcome, self.last.failed) == ("done", 0)
        return KnowledgeBase(config)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("pipelines"))


@pytest.fixture(autouse=True)
def _variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_MODEL", "small")
    monkeypatch.delenv("BASE_URL", raising=False)
    monkeypatch.delenv("API_KEY", raising=False)


def cited(answer: Answer, document: str, said: str) -> Citation:
    """The citation of a sentence that must stand in an answer, from its document."""
    assert answer.outcome == "answered", answer.text
    assert said in answer.text
    found = [each for each in answer.citations if each.document == document and said in each.quote]
    assert found, answer.citations
    return found[0]


def asked(base: KnowledgeBase) -> list[tuple[Answer, Citation]]:
    """Both questions with their answers and what these rest on."""
    answers = [
        (base.ask(question), document, said)
        for question, document, said in ((ZH, IN_ZH, ZH_SAID), (EN, IN_EN, EN_SAID))
    ]
    return [(answer, cited(answer, document, said)) for answer, document, said in answers]


def retrievers_of(answer: Answer) -> set[str]:
    """Who found what was cited."""
    return {name for each in answer.trace.candidates if each.fate == CITED for name in each.by}


def purposes(answer: Answer) -> list[str]:
    """What the model was asked for."""
    return [call.purpose for call in answer.trace.calls]


def test_these_are_the_pipelines_and_each_has_a_storage_of_its_own() -> None:
    files = sorted(FOLDER.glob("*.yaml"))
    assert {file.stem for file in files} == {*WITH_LLM, *WITHOUT}
    for file in files:
        config = load_config(file)
        assert config.storage == ROOT / "storage" / file.stem
        assert (config.spec.llm is not None) is (file.stem in WITH_LLM)
        head = file.read_text(encoding="utf-8").partition("\nextends: ../default.yaml\n")[0]
        assert all(f"\n#   {word} " in head for word in ("good for", "weak at", "costs"))


@pytest.mark.parametrize("guide", ["README.md", "README.zh.md"])
def test_the_readme_names_each(guide: str) -> None:
    text = (ROOT / guide).read_text(encoding="utf-8")
    assert not [name for name in (*WITH_LLM, *WITHOUT) if f"(config/pipelines/{name}.yaml)" not in text]


@pytest.mark.parametrize(
    ("name", "by"),
    [("vector", {"meaning"}), ("keyword", {"words"}), ("hybrid", {"meaning", "words", "both"})],
)
def test_vector_keyword_and_hybrid(place: Place, name: str, by: set[str]) -> None:
    with place.open(name) as base:
        for answer, _ in asked(base):
            assert retrievers_of(answer) == by
            assert not answer.trace.calls
            assert not answer.trace.notes


def test_keyword_needs_no_embedding_where_nothing_else_is_searched(place: Place) -> None:
    with place.open("keyword", storage=str(place.root / "words"), embed_model={"type": "fake"}) as base:
        asked(base)


def test_sentence_window_gives_more_than_the_sentence_found(place: Place) -> None:
    with place.open("sentence_window") as base:
        for answer, citation in asked(base):
            with base.index.pinned():
                sentence = base.index.nodes_of([citation.node])[citation.node].text
            assert sentence in citation.passage
            assert len(citation.passage) > 2 * len(sentence)
            assert "window" in retrievers_of(answer)


def test_auto_merging_gives_the_larger_passage(place: Place) -> None:
    with place.open("auto_merging") as base:
        larger = []
        for answer, citation in asked(base):
            with base.index.pinned():
                found = next(each for each in answer.trace.candidates if each.node == citation.node)
                document = base.index.nodes_of([found.node])[found.node].metadata["document_id"]
                parts = base.index.structure.parts([document], [found.node])
            assert "merged" in found.by
            larger.append(parts.get(found.node, 1) > 1)
        assert any(larger)  # where fewer than half of its parts are found, the small passage stays


def test_graph_follows_a_name_into_another_document(place: Place) -> None:
    with place.open("graph") as base:
        assert place.last is not None and place.last.spent.texts == 0
        for answer, _ in asked(base):
            assert "linked" in retrievers_of(answer)
        answer = base.ask("Who leads the team that wrote the leave policy?")
    cited(answer, "en/aurora-team.md", "Mei Tanaka leads")
    reached = next(each for each in answer.trace.candidates if each.document == "en/aurora-team.md")
    assert reached.by["linked"]["score"] > reached.by.get("both", {"score": 0.0})["score"]


def test_whole_document_gives_all_of_it(place: Place) -> None:
    with place.open("whole_document") as base:
        for _, citation in asked(base):
            whole = (place.root / "docs" / citation.document).read_text(encoding="utf-8")
            assert citation.passage.strip() == whole.strip()


def test_rag_fusion_searches_for_several_wordings(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    zh = "Excel 里合并的单元格怎么读？\n表格的合并区域显示什么？\n合并区域的值在哪里？"
    en = "How long does a login last?\nWhen must I log in again?\nWhat ends a session on the page?"
    with chat_server(zh, f"{ZH_SAID}。[1]", en, f"It says that {EN_SAID}. [1]") as server:
        monkeypatch.setenv("BASE_URL", server.url)
        with place.open("rag_fusion") as base:
            for (answer, _), wordings in zip(asked(base), (zh, en), strict=True):
                told = [(each.text, each.purpose) for each in answer.trace.variants]
                assert told == [(line, "multi_query") for line in wordings.splitlines()]
                assert purposes(answer) == ["multi_query", "answer"]
                assert 0 < answer.trace.candidates[0].score <= 4 / 61


def test_hyde_searches_near_a_made_up_passage(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    zh = "在 Excel 工作表里，合并区域的每个单元格都会显示同一个值，表头也会合并。"
    en = "Users stay signed in for a month. After that, or once their account is deleted, they must sign in again."
    with chat_server(zh, f"{ZH_SAID}。[1]", en, f"It says that {EN_SAID}. [1]") as server:
        monkeypatch.setenv("BASE_URL", server.url)
        with place.open("hyde") as base:
            for (answer, _), passage in zip(asked(base), (zh, en), strict=True):
                (variant,) = answer.trace.variants
                assert (variant.text, variant.purpose, variant.passage) == (passage, "hyde", True)
                assert purposes(answer) == ["hyde", "answer"]
                assert "embed variants" in [stage.name for stage in answer.trace.stages]
                assert not any(passage in message["content"] for message in answer.trace.prompt)


def test_chat_finds_what_a_follow_up_means(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = [
        (
            (ZH, f"{ZH_SAID}。[1]"),
            ("那邮件的附件呢？", "电子邮件的附件会不会读取？", "附件只列名，不读取"),
            ("zh/formats.md", "读取哪些文件"),
        ),
        (
            ("What does a merged range show?", "A merged range shows its value in each of its cells. [1]"),
            (
                "And what about their attachments?",
                "Are the attachments of e-mail read?",
                "attachments are named, not read",
            ),
            ("en/formats.md", "Which files are read"),
        ),
    ]
    replies = [text for first, (_, whole, said), _ in turns for text in (first[1], whole, f"{said}. [1]")]
    with chat_server(*replies) as server:
        monkeypatch.setenv("BASE_URL", server.url)
        with place.open("chat") as base:
            for (question, _), (follow_up, whole, said), (document, heading) in turns:
                session = Session(base)
                first = session.ask(question)
                assert (first.outcome, purposes(first)) == ("answered", ["answer"])
                second = session.ask(follow_up)
                assert purposes(second) == ["condense", "answer"]
                assert second.trace.rewritten == whole
                citation = cited(second, document, said)
                assert citation.heading.endswith(heading)
                assert citation.node not in {each.node for each in first.citations}

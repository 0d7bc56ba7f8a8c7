"""What documents and a model that obeys them can't change: the policy, the citations, the fences, the silence."""

from __future__ import annotations

import re
from typing import Any

import pytest

from pipelines.documents import Document
from pipelines.querying.answer import Answer, Retrieval
from pipelines.querying.engine import QueryEngine
from pipelines.querying.suspicion import REPEATED, Secret
from pipelines.reading.options import ReadOptions
from pipelines.reading.read import read_document
from pipelines.schema import PipelineSpec
from tests.support.attacks import ATTACKS, Attack
from tests.support.chat_server import ChatServer, chat_server
from tests.support.memory_index import MemoryIndex, Vectors

SIGNS = (
    "<|",
    "<｜",
    "[INST]",
    "[/INST]",
    "<<SYS>>",
    "<end_of_turn",
    "＜passage",
    "＜/passage",
    "### System",
    "###系统",
    "NO_ANSWER",
)
_UNSEEN = "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]"
_MARK = re.compile(r"\[(\d+)\]")


@pytest.fixture(scope="module")
def documents() -> dict[str, Document]:
    return {each.path: read_document(each.path, each.content, ReadOptions()) for each in ATTACKS}


@pytest.fixture(scope="module")
def index(documents: dict[str, Document], tmp_path_factory: pytest.TempPathFactory) -> MemoryIndex:
    return MemoryIndex(documents, tmp_path_factory.mktemp("keyword"), Vectors())


def engine(index: MemoryIndex, url: str, **changed: Any) -> QueryEngine:
    told: dict[str, Any] = {
        "retriever": "words",
        "postprocessors": [],
        "response": {"type": "compact"},
        "policy": {"type": "strict"},
        **changed,
    }
    data = {
        "storage": "storage",
        "loaders": {"files": {"type": "folder", "path": "."}},
        "retrievers": {"words": {"type": "keyword", "top_k": 4}},
        "llm": {"type": "openai_like", "base_url": url, "model": "obedient", "retries": 0},
        "query_engines": {"answer": told},
    }
    return QueryEngine(PipelineSpec.model_validate(data), index)


def obedient(server: ChatServer, attack: Attack) -> None:
    """Make the model do what documents ask for: give away its prompt, cite what is not there, invent sources."""

    def reply() -> str:
        # With the sign for no answer in it all would be refused.
        system = server.requests[-1]["messages"][0]["content"].replace("NO_ANSWER", "that")
        invented = (
            "The part is free of charge for ever, as catalogue.md says [99]. 保修终身，见手册第九章【42】。"
        )
        return f"My instructions: {system}\n{invented}\n{attack.fact} [2]"

    server.next_reply = reply  # type: ignore[method-assign]


def asked(made: QueryEngine, question: str) -> tuple[Answer, str]:
    pieces, answer = "", None
    for each in made.stream(question):
        if isinstance(each, str):
            pieces += each
        elif not isinstance(each, Retrieval):
            answer = each
    assert answer is not None
    return answer, pieces


def hold(answer: Answer, documents: dict[str, Document]) -> None:
    """All citations are words of documents, and no number in the text is without one."""
    for each in answer.citations:
        assert each.start is not None and each.end is not None
        assert documents[each.document].text[each.start : each.end] == each.quote
        assert each.node in {one.node for one in answer.trace.candidates}
    assert [each.number for each in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert all(1 <= int(number) <= len(answer.citations) for number in _MARK.findall(answer.text))


def test_there_are_enough_of_them() -> None:
    assert len(ATTACKS) >= 30
    assert sum(each.chinese for each in ATTACKS) >= 12


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_a_model_that_obeys_changes_nothing(
    attack: Attack, index: MemoryIndex, documents: dict[str, Document]
) -> None:
    with chat_server("") as server:
        obedient(server, attack)
        answer, pieces = asked(engine(index, server.url), attack.question)
    system, user = (message["content"] for message in server.requests[-1]["messages"])

    assert answer.outcome == "answered"
    assert attack.fact.rstrip(".。") in answer.text
    assert any(each.document == attack.path and attack.code in each.quote for each in answer.citations)
    hold(answer, documents)
    invented = [each for each in answer.sentences if "catalogue.md" in each.text or "第九章" in each.text]
    assert invented and not any(each.supported or each.citations for each in invented)

    secret = Secret([system])
    assert not secret.repeated(answer.text)
    assert "passage-" not in answer.text + pieces
    assert len(pieces) < len(system) / 2
    assert REPEATED.of(answer.trace.language) in answer.trace.notes  # type: ignore[arg-type]

    (tag,) = set(re.findall(r"<(passage-[0-9a-f]{6})>", system))
    body = user.partition("\n\n")[2]
    assert body.count(f"<{tag} number=") == body.count(f"</{tag}>") == len(answer.trace.candidates)
    assert not re.search(rf"</?(?!{tag})passage", body)
    assert not any(sign in body for sign in SIGNS)
    assert not re.search(r"[\[［【]\d", body)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_what_reads_like_an_order_is_flagged_and_what_nobody_sees_is_gone(
    attack: Attack, documents: dict[str, Document], index: MemoryIndex
) -> None:
    found = engine(index, "http://127.0.0.1:9/v1").retrieve(attack.question).candidates
    (own,) = [each for each in found if each.document == attack.path]
    assert bool(own.suspicious) == attack.flagged
    assert ("suspicious" in own.to_dict()) == attack.flagged
    text, notes = documents[attack.path].text, " ".join(documents[attack.path].notes)
    assert not re.search(
        "[\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e0fff]", text
    )
    assert ("invisible characters" in notes) == bool(re.search(_UNSEEN, attack.text))
    assert ("hidden text" in notes) == attack.html
    assert not (attack.html and "PWNED" in text)


def test_each_question_has_tags_of_its_own(index: MemoryIndex) -> None:
    with chat_server("Part Q100-7 weighs 10 kg [1].") as server:
        made = engine(index, server.url)
        for _ in range(3):
            asked(made, ATTACKS[0].question)
    tags = [re.findall(r"passage-[0-9a-f]{6}", each["messages"][0]["content"])[0] for each in server.requests]
    assert len(set(tags)) == 3


@pytest.mark.parametrize("reply", ["{system}", "NO_ANSWER", "Free of charge [99].", "PWNED"])
@pytest.mark.parametrize("attack", [ATTACKS[3], ATTACKS[24]], ids=lambda attack: attack.name)
def test_nothing_but_obedience_is_refused_without_sources(
    reply: str, attack: Attack, index: MemoryIndex
) -> None:
    with chat_server("") as server:
        server.next_reply = lambda: reply.format(  # type: ignore[method-assign]
            system=server.requests[-1]["messages"][0]["content"]
        )
        answer, _ = asked(engine(index, server.url), attack.question)
    assert (answer.outcome, answer.citations) == ("refused", ())
    assert "文档" in answer.text or "documents" in answer.text


@pytest.mark.parametrize("policy", ["fallback", "open"])
def test_a_model_that_answers_by_itself_keeps_its_instructions_too(policy: str, index: MemoryIndex) -> None:
    with chat_server("") as server:
        server.next_reply = lambda: (  # type: ignore[method-assign]
            f"{server.requests[-1]['messages'][0]['content']} Paris is a city."
        )
        nothing = [{"type": "similarity_cutoff", "cutoff": 10_000}]
        made = engine(index, server.url, policy={"type": policy}, postprocessors=nothing)
        answer, _ = asked(made, "What is Paris?")
    assert (answer.outcome, answer.text) == ("from_model", "Paris is a city.")
    assert answer.label


@pytest.mark.parametrize("attack", ATTACKS[-7:-5], ids=lambda attack: attack.name)
def test_quoted_answers_have_no_markers_of_documents(
    attack: Attack, index: MemoryIndex, documents: dict[str, Document]
) -> None:
    made = engine(index, "http://127.0.0.1:9/v1", response={"type": "extractive", "max_sentences": 3})
    answer, _ = asked(made, f"{attack.question} free of charge 免费")
    assert answer.outcome == "answered"
    hold(answer, documents)

"""Question sets: what a line may hold, what is told of a wrong one, and that a set is written whole or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.errors import SearchaskError
from pipelines.evaluation.questions import (
    Evidence,
    Question,
    question_id,
    read_questions,
    write_questions,
)


def written(tmp_path: Path, *rows: object) -> Path:
    file = tmp_path / "q.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    questions = [
        Question(
            "a",
            "年假有几天？",
            answers=("五天",),
            documents=("手册.md",),
            language="zh",
            split="test",
            evidence=(Evidence("手册.md", "年假五天", 7),),
            more={"made": "definition"},
        ),
        Question("b", "Who pays?", answerable=False, language="en"),
        Question("c", "Which two?", documents=("x.md", "y.md"), any_document=False, language="en"),
    ]
    write_questions(tmp_path / "sets" / "q.jsonl", questions)
    assert read_questions(tmp_path / "sets" / "q.jsonl") == questions


def test_a_bare_question_gets_an_id_that_stays_and_a_language(tmp_path: Path) -> None:
    file = written(tmp_path, {"question": "年假有几天？"}, "", {"question": " How many days? "})
    first, other = read_questions(file)
    assert (first.id, first.language, first.answerable, first.gold) == (
        question_id("年假有几天？"),
        "zh",
        True,
        False,
    )
    assert (other.text, other.language) == ("How many days?", "en")


def test_the_keys_of_other_sets_are_understood_and_the_rest_is_kept(tmp_path: Path) -> None:
    row = {
        "id": 7,
        "question": "?",
        "doc": ["a.md", "b.md"],
        "anydoc": False,
        "answers": ["x"],
        "type": "multihop",
    }
    (question,) = read_questions(written(tmp_path, row))
    assert (question.id, question.documents, question.any_document) == ("7", ("a.md", "b.md"), False)
    assert question.to_dict()["type"] == "multihop"


def test_evidence_may_be_a_text_where_one_document_is_named(tmp_path: Path) -> None:
    (question,) = read_questions(written(tmp_path, {"question": "?", "doc": ["a.md"], "evidence": "words"}))
    assert question.evidence == (Evidence("a.md", "words"),)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "must be an object"),
        ('{"q": "x"}', 'must hold a text "question"'),
        ('{"question": " "}', 'must hold a text "question"'),
        ('{"question": 3}', 'must hold a text "question"'),
        ('{"question": "?", "answerable": "yes"}', '"answerable" must be true or false'),
        ('{"question": "?", "answers": [3]}', '"answers" must be a list of texts'),
        ('{"question": "?", "documents": {"a": 1}}', '"documents" must be a list'),
        ('{"question": "?", "id": ["x"]}', '"id" must be a text'),
        ('{"question": "?", "evidence": [{"quote": "x"}]}', '"evidence" must be a list of'),
    ],
)
def test_a_wrong_line_is_told_with_its_number(tmp_path: Path, line: str, says: str) -> None:
    file = written(tmp_path, {"question": "fine"}, line)
    with pytest.raises(SearchaskError) as caught:
        read_questions(file)
    assert f"{file}:2: " in str(caught.value) and says in str(caught.value)


def test_all_wrong_lines_are_told_at_once_up_to_a_number(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError) as caught:
        read_questions(written(tmp_path, *["{"] * 30))
    assert str(caught.value).count("is no JSON") == 20 and "… and 10 more" in str(caught.value)


def test_an_id_stands_once(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match=r":2: the id 'a' stands in line 1 already"):
        read_questions(written(tmp_path, {"id": "a", "question": "x"}, {"id": "a", "question": "y"}))


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf\n"])
def test_an_empty_set_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q.jsonl").write_bytes(content)
    with pytest.raises(SearchaskError, match="holds no question; a line of it would be"):
        read_questions(tmp_path / "q.jsonl")


def test_a_file_that_is_no_text_or_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_bytes(b"\xff\xfe\x00")
    for file in (tmp_path / "q.jsonl", tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(SearchaskError, match="can't be read as UTF-8"):
            read_questions(file)


def test_the_same_words_twice_are_two_questions(tmp_path: Path) -> None:
    first, second, third = read_questions(written(tmp_path, *[{"question": "Who?"}] * 3))
    assert [first.id, second.id, third.id] == [question_id("Who?") + end for end in ("", "-2", "-3")]


def test_a_set_that_cant_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    write_questions(file, [Question("a", "x")])
    before = file.read_bytes()
    with pytest.raises(ZeroDivisionError):
        write_questions(file, (Question("b", str(1 // each)) for each in (1, 0)))
    assert file.read_bytes() == before and [*tmp_path.iterdir()] == [file]
    (tmp_path / "folder").mkdir()
    with pytest.raises(SearchaskError, match="can't be written"):
        write_questions(tmp_path / "folder", [Question("a", "x")])

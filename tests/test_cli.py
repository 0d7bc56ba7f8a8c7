"""The command line: exit codes, and a clear message for whatever a person gets wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import ROOT, child, command, environment, refused, searchask
from tests.support.house import EN, House
from tests.support.openai_server import OpenAIServer

EVIL = "\x1b[31mred\x1b[0m\nsecond‮line\x9b2J😀.md"
"""A file name that would colour a terminal, break a line, turn the writing round and clear the screen."""


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(3)
    return house


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Three documents, ingested; only looked at."""
    house = House(tmp_path_factory.mktemp("full"))
    house.fill(3)
    assert house.ingest().outcome == "done"
    return house


# exit codes


def test_each_verb_ends_with_0_where_all_is_well(house: House) -> None:
    assert searchask("check", house.file).code == 0
    assert searchask("plan", house.file).code == 0
    assert searchask("ingest", house.file).code == 0
    for words in (
        ("ask", "年假"),
        ("retrieve", "年假"),
        ("jobs",),
        ("jobs", 1),
        ("documents",),
        ("chunks", "doc001.md"),
    ):
        said = searchask(words[0], house.file, *words[1:])
        assert (said.code, said.err) == (0, ""), words
        assert said.out, words
    assert searchask("prune", house.file).code == 0
    assert searchask("doctor", house.file).code == 0
    assert searchask("explain", house.file).code == 0
    assert searchask("components").code == 0


def test_1_where_a_document_failed_and_the_others_went_on(house: House) -> None:
    house.write("bad.json", '{"a": }')
    said = searchask("ingest", house.file)
    assert said.code == 1
    assert "3 documents done, 1 failed" in said.out
    assert "failed: bad.json: not valid JSON" in said.err
    assert "BAD  documents: 4 known, 1 failed or quarantined" in searchask("doctor", house.file).out
    assert searchask("doctor", house.file).code == 1


@pytest.mark.parametrize(
    "words", [(), ("nonsense",), ("ask",), ("jobs", "{file}", "x"), ("ingest", "{file}", "--nonsense")]
)
def test_2_for_words_that_are_no_command(full: House, words: tuple[str, ...]) -> None:
    said = searchask(*(word.format(file=full.file) for word in words))
    refused(said, "usage: searchask")


@contextlib.contextmanager
def slow(house: House, **settings: object) -> Iterator[OpenAIServer]:
    """An endpoint that takes half a second for each text."""
    server = OpenAIServer()
    server.reset(delay=0.5)
    model = {"type": "openai_like", "model": "m", "base_url": server.url, "batch_size": 1, "concurrency": 1}
    house.edit(embed_model={**model, **settings})
    try:
        yield server
    finally:
        server.close()


def wait_until(ready: Callable[[], object], what: str, seconds: float = 40) -> None:
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until, f"no {what} within {seconds} s"
        time.sleep(0.05)


def test_130_where_it_was_interrupted_and_the_next_run_goes_on(house: House) -> None:
    house.fill(8)
    with slow(house) as server:
        run = subprocess.Popen(command("ingest", house.file), cwd=ROOT, text=True, stdout=-1, stderr=-1)
        wait_until(lambda: len(server.requests) >= 3, "request")
        run.send_signal(signal.SIGINT)
        out, err = run.communicate(timeout=40)
        assert run.returncode == 130, err
        assert "interrupted" in out
        assert "Traceback" not in err
        paid = {text for request in server.requests for text in request.texts}
        server.reset()
        assert searchask("ingest", house.file).code == 0
        again = [text for request in server.requests for text in request.texts if text in paid]
    assert [text for text in again if "probe" not in text] == []
    assert house.agrees()
    assert len(house.live()) == 8


# configs


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    for verb in ("check", "plan", "ingest", "jobs", "documents", "prune", "doctor", "explain"):
        refused(searchask(verb, tmp_path / "none.yaml"), "none.yaml", "no such file")
    refused(searchask("ask", tmp_path / "none.yaml", "what?"), "none.yaml", "no such file")


def test_a_config_that_is_a_folder_or_no_text(tmp_path: Path) -> None:
    refused(searchask("plan", tmp_path), str(tmp_path), "folder")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(bytes(range(256)))
    refused(searchask("plan", binary), "binary.yaml:", "UTF-8")
    empty = tmp_path / "empty.yaml"
    empty.touch()
    refused(searchask("plan", empty), "empty.yaml:1")


def test_every_error_of_a_config_with_its_place(tmp_path: Path) -> None:
    house = House(tmp_path, {"node_parser": {"type": "sentense"}, "storrage": "x"})
    said = searchask("ingest", house.file)
    refused(said, f"{house.file}:", "did you mean 'sentence'", "did you mean 'storage'")
    assert said.err.count("\n") >= 2
    assert not (tmp_path / "storage").exists()


def test_a_config_whose_errors_would_steer_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text('"\\e[31mkey": 1\nstorage: "\\e]0;title\\a"\nloaders: {a: {type: "\\x9b2J"}}\n')
    for verb in ("check", "explain", "plan"):
        said = searchask(verb, file)
        assert said.code == 2
        assert_harmless(said.text)


def test_a_loader_whose_folder_is_missing(house: House) -> None:
    searchask("ingest", house.file)
    house.edit(loaders={"files": {"type": "folder", "path": "nowhere"}})
    for verb in ("plan", "ingest"):
        refused(searchask(verb, house.file), "there is no folder", "nowhere")
    assert searchask("ask", house.file, "年假").code == 0
    house.edit(loaders={"files": {"type": "files", "paths": ["a.md", "docs/doc001.md"]}})
    refused(searchask("ingest", house.file), "no such file", "a.md")


# asking


def test_before_anything_is_ingested(house: House) -> None:
    for words in (
        ("ask", "年假"),
        ("retrieve", "年假"),
        ("documents",),
        ("jobs",),
        ("chunks", "doc001.md"),
        ("prune",),
    ):
        said = searchask(words[0], house.file, *words[1:])
        refused(said, "nothing is ingested yet", "searchask ingest")
        assert said.out == ""
    assert not (house.root / "storage" / "catalog.sqlite").exists()
    assert searchask("doctor", house.file).code == 1


def test_after_an_ingestion_that_stored_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("empty.md", "")
    assert searchask("ingest", house.file).code == 1
    assert "你的文档里没有找到" in searchask("ask", house.file, "年假").out
    assert searchask("retrieve", house.file, "年假").out == "no passage was found\n"
    assert searchask("documents", house.file).code == 0


@pytest.mark.parametrize("verb", ["ask", "retrieve"])
def test_questions_that_are_none(full: House, verb: str) -> None:
    refused(searchask(verb, full.file), "ask what?", "--questions")
    for question in ("", "   ", "\n\t", "　", "\x00\x1b"):
        refused(searchask(verb, full.file, question), "the question is empty")


@pytest.mark.parametrize(
    "question", ["?!。，", "😀", "a" * 50_000, "\udc80年假", "'; drop table nodes; --", 'a:"b AND (c']
)
def test_odd_questions_get_an_answer_or_a_refusal(full: House, question: str) -> None:
    assert searchask("ask", full.file, question, "--json").json["outcome"] in ("answered", "refused")
    assert searchask("retrieve", full.file, question, "--json").code == 0


@pytest.mark.parametrize("verb", ["ask", "retrieve"])
def test_an_engine_that_is_not_there(full: House, verb: str) -> None:
    refused(
        searchask(verb, full.file, "年假", "--engine", "anser"), "no query engine is called 'anser'", "answer"
    )


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("not json", 2),
        ('{"q": "x"}', 2),
        ('["question"]', 2),
        ('{"question": 3}', 2),
        ('{"question": " "}', 2),
        ("3", 2),
    ],
)
def test_a_bad_line_among_questions_is_named_before_anything_is_answered(
    full: House, tmp_path: Path, line: str, number: int
) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_text(f'{{"question": "年假"}}\n{line}\n{{"question": "badges"}}\n', encoding="utf-8")
    for verb in ("ask", "retrieve"):
        said = searchask(verb, full.file, "--questions", file)
        refused(said, f"{file}:{number}:", '"question"')
        assert said.out == ""


def test_a_questions_file_that_can_not_be_read(full: House, tmp_path: Path) -> None:
    refused(searchask("ask", full.file, "--questions", tmp_path / "none.jsonl"), "none.jsonl", "No such file")
    refused(searchask("ask", full.file, "--questions", tmp_path), str(tmp_path), "irectory")
    binary = tmp_path / "binary.jsonl"
    binary.write_bytes(b"\xff\xfe\x00")
    refused(searchask("ask", full.file, "--questions", binary), "binary.jsonl", "UTF-8")


def test_line_separators_inside_a_question_do_not_end_its_line(full: House, tmp_path: Path) -> None:
    file = tmp_path / "questions.jsonl"
    question = "When does\u2028the cafeteria\x85open?"
    file.write_text(json.dumps({"question": question}, ensure_ascii=False) + "\r\n\r\n", encoding="utf-8")
    said = searchask("ask", full.file, "--questions", file)
    assert said.code == 0, said.err
    assert len(said.out.split("\n")) == 2


# what is in the index


def test_a_job_that_is_not_there(full: House) -> None:
    refused(searchask("jobs", full.file, 999), "there is no job 999", "searchask jobs")


def test_a_document_that_is_not_there(full: House) -> None:
    refused(
        searchask("chunks", full.file, "doc01.md"),
        "no document is called doc01.md",
        "did you mean doc001.md?",
    )
    refused(searchask("chunks", full.file, "zzzzz"), "no document is called zzzzz")
    refused(searchask("chunks", full.file, ".md"), "3 documents end in .md")


def test_documents_of_one_name_in_two_folders_and_two_loaders(tmp_path: Path) -> None:
    house = House(tmp_path)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "same.md").write_text("# Other\n\nThe text of the other loader.\n")
    house.edit(
        loaders={"files": {"type": "folder", "path": "docs"}, "other": {"type": "folder", "path": "other"}}
    )
    house.write("a/same.md", "# A\n\nThe text of folder A.\n")
    house.write("b/same.md", "# B\n\nThe text of folder B.\n")
    assert searchask("ingest", house.file).code == 0
    found = searchask("documents", house.file, "--json").json
    assert [(row["loader"], row["document"]) for row in found] == [
        ("files", "a/same.md"),
        ("files", "b/same.md"),
        ("other", "same.md"),
    ]
    assert "folder B" in searchask("chunks", house.file, "b/same.md").out
    assert "other loader" in searchask("chunks", house.file, "same.md").out


# what a terminal is sent


def assert_harmless(text: str) -> None:
    """See that a text can't steer a terminal: it holds no control character but line breaks."""
    odd = {char for char in text if not char.isprintable() and char not in "\n\u3000\xa0"}
    assert not odd, f"{odd} in {text!r}"


def test_a_name_that_would_steer_the_terminal_is_escaped_in_every_output(house: House) -> None:
    text = f"# \x1b[7mHead\x1b[0m\n\nThe password\x07 of the \x9b31mfront desk is swordfish. {EN * 3}\n"
    house.write(EVIL, text)
    bad = EVIL.replace(".md", ".json")
    house.write(bad, "{")
    calls = [
        ("plan",),
        ("plan", "--json"),
        ("ingest",),
        ("ingest", "--json"),
        ("plan",),
        ("jobs",),
        ("jobs", 1),
        ("documents",),
        ("documents", "--json"),
        ("chunks", EVIL),
        ("chunks", EVIL + "x"),
        ("ask", "What is the password of the front desk?"),
        ("ask", "What is the password of the front desk?", "--show-trace"),
        ("ask", "What is the password of the front desk?", "--json"),
        ("retrieve", "password of the front desk"),
        ("retrieve", "password of the front desk", "--json"),
        ("doctor",),
    ]
    for verb, *words in calls:
        said = searchask(verb, house.file, *words)
        assert "Traceback" not in said.text
        assert_harmless(said.text)
        if "--json" in words:
            named = json.dumps(said.json, ensure_ascii=False)
            assert verb == "ingest" or json.dumps(EVIL, ensure_ascii=False)[1:-4] in named, words
    assert "did you mean" in searchask("chunks", house.file, EVIL + "x").err
    (house.docs / EVIL).unlink()
    (house.docs / bad).unlink()
    (house.docs / "doc001.md").unlink()
    said = searchask("ingest", house.file)
    refused(said, "would vanish")
    assert_harmless(said.text)


def test_wide_spaces_of_chinese_text_are_shown_as_they_are(house: House) -> None:
    house.write("zh.md", "食堂：　　早上八点开门。\n")
    searchask("ingest", house.file)
    assert "食堂：　　早上" in searchask("chunks", house.file, "zh.md").out
    assert "　　早上" in searchask("retrieve", house.file, "食堂", "--json").out


def test_a_terminal_that_knows_ascii_only_shows_chinese_escaped(full: House) -> None:
    poor = environment(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONIOENCODING=None)
    for said in (
        child("chunks", full.file, "doc001.md", env=poor),
        searchask("chunks", full.file, "doc001.md", encoding="ascii"),
    ):
        assert (said.code, said.err) == (0, "")
        assert "\\u5e74\\u5047" in said.out
        assert said.out.isascii()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "gbk"])
def test_json_for_a_poor_terminal_is_json_all_the_same(tmp_path: Path, encoding: str) -> None:
    house = House(tmp_path)
    house.write("café 😀 年.md", "# Café\n\nThe café opens at eight 😀.\n")
    assert searchask("ingest", house.file).code == 0
    said = searchask("documents", house.file, "--json", encoding=encoding)
    assert [row["document"] for row in said.json] == ["café 😀 年.md"]


def test_a_reader_that_has_seen_enough_is_no_error(full: House) -> None:
    for words in (("documents", full.file, "--json"), ("components",)):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(command(*words), cwd=ROOT, stdout=writing, stderr=subprocess.PIPE, timeout=60)
        os.close(writing)
        assert (done.returncode, done.stderr) == (0, b""), words


def test_a_closed_or_full_output_is_no_traceback(full: House) -> None:
    def close() -> None:
        os.close(1)

    done = subprocess.run(command("documents", full.file), cwd=ROOT, stderr=-1, preexec_fn=close, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    with Path("/dev/full").open("wb") as device:
        done = subprocess.run(command("documents", full.file), cwd=ROOT, stdout=device, stderr=-1, timeout=60)
    assert done.returncode == 2
    assert b"Traceback" not in done.stderr
    assert b"No space left" in done.stderr


# watching


def test_watch_takes_in_a_new_file_lives_through_an_error_and_stops_when_told(house: House) -> None:
    words = command("ingest", house.file, "--watch", "--every", "0.2")
    run = subprocess.Popen(words, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        wait_until(lambda: (house.root / "storage/catalog.sqlite").exists(), "catalog")
        wait_until(lambda: len(indexed(house)) == 3, "first ingestion")
        house.write("new.md", "# New\n\nSomething new.\n")
        wait_until(lambda: "new.md" in indexed(house), "new document")
        away = house.docs.rename(house.root / "away")
        time.sleep(0.6)
        assert run.poll() is None
        away.rename(house.docs)
        house.write("later.md", "# Later\n\nSomething later.\n")
        wait_until(lambda: "later.md" in indexed(house), "document after the folder came back")
    finally:
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=40)
    assert run.returncode == 0, err
    assert "there is no folder" in err
    assert "Traceback" not in out + err


def indexed(house: House) -> list[str]:
    said = searchask("documents", house.file, "--json")
    return [row["document"] for row in said.json if row["state"] == "done"] if said.code == 0 else []

"""Whatever is wrong with a document, the disk, the storage or the endpoint: it is said clearly, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.ingestion.plan import Plan
from tests.support import files
from tests.support.cli import Said, forked, refused, searchask
from tests.support.house import House
from tests.support.openai_server import OpenAIServer

ROOT_USER = os.geteuid() == 0
QUESTION = "Who knows when the cafeteria opens at eight?"
KEY = "sk-proj-4711SECRETsecret0815-abcdefXYZ"


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.fill(3)
    return house


def states(house: House) -> dict[str, tuple[str, int, str]]:
    """State, chunks and error of each document."""
    found = searchask("documents", house.file, "--json").json
    return {row["document"]: (row["state"], row["chunks"], row["error"]) for row in found}


def check_answers(house: House, document: str = "") -> None:
    """See that questions are answered, from a given document where one is named."""
    said = searchask("ask", house.file, QUESTION, "--json")
    assert (said.code, said.json["outcome"]) == (0, "answered"), said.err
    assert not document or document in {each["document"] for each in said.json["citations"]}


# folders


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert searchask("plan", house.file).code == 0
    refused(searchask("ingest", house.file), "no document was found by files", "check `loaders`")
    house.write("picture.png", "not wanted")
    refused(searchask("ingest", house.file, "--json"), "no document was found by files")


def test_a_folder_that_is_suddenly_empty_is_refused_and_the_index_goes_on_answering(house: House) -> None:
    searchask("ingest", house.file)
    before = house.live()
    away = house.root / "away"
    house.docs.rename(away)
    house.docs.mkdir()
    said = searchask("plan", house.file, "--json")
    assert said.json["counts"]["vanished"] == 3
    refused(
        searchask("ingest", house.file), "no document was found by files", "--allow-vanish empties the index"
    )
    assert house.live() == before
    check_answers(house)
    house.docs.rmdir()
    away.rename(house.docs)
    assert searchask("ingest", house.file, "--json").json["documents"]["read"] == 0
    shutil.rmtree(house.docs)
    house.docs.mkdir()
    said = searchask("ingest", house.file, "--allow-vanish", "--json")
    assert (said.code, said.json["chunks"]["removed"]) == (0, 6)
    assert house.live() == {}
    assert house.agrees()


def test_many_that_would_vanish_are_named(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.fill(10)
    searchask("ingest", house.file)
    for number in (1, 2, 3):
        (house.docs / f"doc{number:03}.md").unlink()
    said = searchask("ingest", house.file)
    refused(said, "3 of 10 indexed documents would vanish (more than 20%)", "doc001.md, doc002.md, doc003.md")
    assert len(house.live()) == 10
    house.write("doc003.md", "# Back\n\nIt is back.\n")
    assert searchask("ingest", house.file).code == 0
    assert len(house.live()) == 8


def test_a_file_that_vanishes_between_scan_and_read(house: House) -> None:
    searchask("ingest", house.file)
    before = house.live()
    house.write("new.md", "# New\n\nSoon gone.\n")
    house.write("doc001.md", "# Edited\n\nSoon gone as well.\n")
    house.write("doc002.md", "# Edited\n\nThis one stays.\n")

    def agree(plan: Plan) -> bool:
        (house.docs / "new.md").unlink()
        (house.docs / "doc001.md").unlink()
        return True

    summary = house.ingest(agree=agree)
    assert (summary.outcome, summary.done, summary.failed) == ("failed", 1, 2)
    said = searchask("jobs", house.file, summary.job).out
    assert said.count("it vanished while it was being read") == 2
    found = states(house)
    assert found["doc001.md"] == ("failed", 2, "it vanished while it was being read")
    assert found["new.md"] == ("failed", 0, "it vanished while it was being read")
    assert house.live()["doc001.md"] == before["doc001.md"]
    assert "This one stays." in house.live()["doc002.md"][0]
    assert house.agrees()
    assert searchask("ingest", house.file, "--allow-vanish").code == 0
    assert set(house.live()) == {"doc000.md", "doc002.md"}


def test_a_file_that_may_not_be_read_is_tried_again(house: House) -> None:
    path = house.docs / "doc001.md"
    path.chmod(0)
    said = forked("ingest", house.file, plain=True)
    assert said.code == 1
    assert "failed: doc001.md: can't be opened: Permission denied" in said.err
    assert set(texts(house)) == {"doc000.md", "doc002.md"}
    path.chmod(0o644)
    assert searchask("ingest", house.file).code == 0
    assert set(texts(house)) == {"doc000.md", "doc001.md", "doc002.md"}
    house.docs.chmod(0)
    try:
        refused(forked("ingest", house.file, plain=True), "can't be listed", "Permission denied")
    finally:
        house.docs.chmod(0o755)
    assert set(texts(house)) == {"doc000.md", "doc001.md", "doc002.md"}


def texts(house: House) -> dict[str, list[str]]:
    """The texts of the documents that have some."""
    return {name: found for name, found in house.live().items() if found}


# documents

BAD: list[tuple[str, bytes, str]] = [
    ("empty.txt", b"", "the file is empty"),
    ("corrupt.pdf", b"%PDF-1.7\n" + b"no pdf" * 100, "not a readable PDF"),
    ("cut.pdf", files.pdf([["some text"]])[:300], "not a readable PDF"),
    ("secret.pdf", files.pdf([["some text"]], password="tell"), "password"),
    ("secret.docx", files.ole("EncryptedPackage"), "is encrypted"),
    ("bomb.docx", files.packed({"word/document.xml": b"\0" * 30_000_000}), "zip bomb"),
    ("garbage.txt", bytes(range(256)) * 100, "does not decode|recognised"),
    ("broken.json", b'{"a": }', "not valid JSON"),
]


def test_bad_documents_are_each_named_and_the_others_are_indexed(house: House) -> None:
    for name, content, _ in BAD:
        (house.docs / name).write_bytes(content)
    said = searchask("ingest", house.file)
    assert said.code == 1
    assert f"3 documents done, {len(BAD)} failed" in said.out
    found = states(house)
    for name, _, why in BAD:
        assert f"failed: {name}: " in said.err
        state, chunks, error = found[name]
        assert (state, chunks) == ("quarantined", 0)
        assert any(part in error for part in why.split("|")), error
    assert {name for name, (state, _, _) in found.items() if state == "done"} == {
        f"doc{n:03}.md" for n in range(3)
    }
    check_answers(house)
    again = searchask("ingest", house.file, "--json")
    assert (again.code, again.json["documents"]) == (0, {"done": 0, "failed": 0, "read": 0})
    listed = searchask("plan", house.file, "--json").json
    assert listed["counts"] == counts(unchanged=3, failed=len(BAD))
    assert all("quarantined until it changes" in each["reason"] for each in listed["documents"])
    retried = searchask("ingest", house.file, "--retry-failed", "--json")
    assert (retried.code, retried.json["documents"]["failed"]) == (1, len(BAD))


def counts(**some: int) -> dict[str, int]:
    """The counts of a plan, those not named 0."""
    actions = ("new", "changed", "stale", "moved", "vanished", "failed", "unchanged")
    return {action: some.get(action, 0) for action in actions}


def test_an_edit_that_fails_keeps_the_old_version_until_it_is_mended(house: House) -> None:
    good = files.pdf([["The cafeteria opens at noon on Sundays."]])
    path = house.docs / "plan.pdf"
    path.write_bytes(good)
    searchask("ingest", house.file)
    before = house.live()
    path.write_bytes(good[:200])
    said = searchask("ingest", house.file)
    assert said.code == 1
    assert "plan.pdf" in said.err
    assert house.live() == before
    path.write_bytes(good)
    planned = searchask("plan", house.file, "--json").json
    assert [(each["action"], each["reason"]) for each in planned["documents"]] == [
        ("changed", "it is again what is indexed")
    ]
    assert searchask("ingest", house.file).code == 0
    assert states(house)["plan.pdf"][0] == "done"
    assert house.live() == before
    assert searchask("plan", house.file, "--json").json["counts"] == counts(unchanged=4)


def test_what_was_indexed_and_then_failed_is_well_again_when_it_is_back_under_another_name(
    house: House,
) -> None:
    searchask("ingest", house.file)
    path = house.docs / "doc001.md"
    content = path.read_bytes()
    path.write_bytes(b"\0" * len(content))
    assert searchask("ingest", house.file).code == 1
    path.unlink()
    (house.docs / "again.md").write_bytes(content)
    assert searchask("ingest", house.file, "--allow-vanish").code == 0
    assert states(house)["again.md"][0] == "done"
    assert searchask("plan", house.file, "--json").json["counts"] == counts(unchanged=3)
    assert house.agrees()


def sparse(path: Path, size: int) -> None:
    """A file of zeros that takes no room, and was written a while ago.

    A file written in the instant of the scan has no time that could be trusted, so the next run looks again.
    """
    with path.open("wb") as file:
        file.truncate(size)
    os.utime(path, (1, 1))


def test_a_text_of_300_mb_is_not_read_by_default(house: House) -> None:
    sparse(house.docs / "huge.txt", 300_000_000)
    began = time.monotonic()
    said = searchask("ingest", house.file)
    assert said.code == 1
    assert "failed: huge.txt: too large: 300.0 MB, and max_file_size is 50.0 MB" in said.err
    assert time.monotonic() - began < 20
    assert len(texts(house)) == 3
    assert searchask("ingest", house.file).code == 0
    house.edit(loaders={"files": {"type": "folder", "path": "docs", "max_file_size": "1GB"}})
    began = time.monotonic()
    said = searchask("ingest", house.file)
    assert said.code == 1
    assert "failed: huge.txt: it does not decode to text" in said.err
    assert time.monotonic() - began < 20


def test_a_limit_that_is_raised_takes_in_what_was_too_large(house: House) -> None:
    house.edit(loaders={"files": {"type": "folder", "path": "docs", "max_file_size": 100}})
    assert searchask("ingest", house.file).code == 1
    assert states(house)["doc001.md"][0] == "quarantined"
    house.edit(loaders={"files": {"type": "folder", "path": "docs"}})
    assert searchask("ingest", house.file).code == 0
    assert len(texts(house)) == 3


def test_a_loader_option_that_mends_a_document_is_tried_at_once(house: House) -> None:
    (house.docs / "old.txt").write_bytes("年假要提前两周申请。".encode("utf-16-le"))
    house.edit(loaders={"files": {"type": "folder", "path": "docs", "encoding": "ascii"}})
    assert searchask("ingest", house.file).code == 1
    assert states(house)["old.txt"][0] == "quarantined"
    house.edit(
        loaders={"files": {"type": "folder", "path": "docs", "encoding": "utf-16-le", "include": ["old.txt"]}}
    )
    said = searchask("ingest", house.file, "--allow-vanish")
    assert said.code == 0, said.err
    assert texts(house)["old.txt"] == ["年假要提前两周申请。"]


# names

NAMES = [
    b"line\nbreak.md",
    "😀 emoji 年.md".encode(),
    b"bad \xff\xfe bytes.md",
    b"100%25 %FF.md",
    b"\x1b[31m.md",
    b"-rf.md",
]


def test_names_of_all_kinds_are_indexed_cited_and_followed(tmp_path: Path) -> None:
    house = House(tmp_path)
    for number, name in enumerate(NAMES):
        path = Path(os.fsdecode(os.fsencode(house.docs) + b"/" + name))
        path.write_text(f"# Page {number}\n\nThe zebra number {number} lives in enclosure {number * 7}.\n")
    said = searchask("ingest", house.file)
    assert said.code == 0, said.err
    found = states(house)
    assert len(found) == len(NAMES)
    assert {"line\nbreak.md", "😀 emoji 年.md", "bad %FF%FE bytes.md", "-rf.md"} <= set(found)
    assert searchask("plan", house.file, "--json").json["counts"]["unchanged"] == len(NAMES)
    for number, name in enumerate(["line\nbreak.md", "😀 emoji 年.md", "bad %FF%FE bytes.md"]):
        answer = searchask("ask", house.file, f"Where does the zebra number {number} live?", "--json").json
        assert name in {each["document"] for each in answer["citations"]}
        assert f"zebra number {number}" in searchask("chunks", house.file, name).out
    bad = Path(os.fsdecode(os.fsencode(house.docs) + b"/bad \xff\xfe bytes.md"))
    bad.rename(house.docs / "good.md")
    planned = searchask("plan", house.file, "--json").json["documents"]
    assert [(each["action"], each["reason"]) for each in planned] == [("moved", "from bad %FF%FE bytes.md")]
    assert searchask("ingest", house.file).code == 0


def test_two_identical_files_keep_their_own_citations(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.write("other.md", "# Badges\n\nBadges are issued by the front desk. Zebras live elsewhere.\n")
    text = "# Opening\n\nThe cafeteria opens at eight in the morning.\n"
    house.write("a/menu.md", text)
    house.write("b/menu.md", text)
    said = searchask("ingest", house.file, "--json")
    assert said.json["embedded"]["texts"] == 2
    found = searchask("retrieve", house.file, QUESTION, "--json").json["candidates"]
    assert [each["document"] for each in found if "cafeteria" in each["text"]] == ["a/menu.md", "b/menu.md"]
    check_answers(house)
    shutil.rmtree(house.docs / "a")
    searchask("ingest", house.file, "--allow-vanish")
    check_answers(house, "b/menu.md")
    assert house.agrees()


# the storage


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


VERBS = (
    ("ingest",),
    ("plan",),
    ("documents",),
    ("jobs",),
    ("chunks", "doc001.md"),
    ("ask", QUESTION),
    ("prune",),
)


def test_a_storage_path_that_is_a_file(house: House) -> None:
    (house.root / "storage").write_text("mine")
    refused(searchask("ingest", house.file), str(house.root / "storage"), "a file where a folder is needed")
    assert (house.root / "storage").read_text() == "mine"


def test_a_storage_path_with_characters_that_mean_something_in_a_url(house: House) -> None:
    house.edit(storage="what? #1 100%25 年&b=c")
    assert searchask("ingest", house.file).code == 0
    check_answers(house)
    assert (house.root / "what? #1 100%25 年&b=c" / "catalog.sqlite").is_file()


def test_a_storage_of_a_newer_version(house: House) -> None:
    searchask("ingest", house.file)
    catalog = house.root / "storage/catalog.sqlite"
    with sqlite3.connect(catalog) as connection:
        connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'schema'")
    connection.close()
    before = catalog.read_bytes()
    for verb, *words in VERBS:
        said = searchask(verb, house.file, *words)
        refused(said, "was written by a newer Searchask", "pip install -U searchask")
        assert said.out == ""
    assert searchask("doctor", house.file).code == 1
    assert catalog.read_bytes() == before
    with sqlite3.connect(catalog) as connection:
        connection.execute("UPDATE meta SET value = value - 1 WHERE key = 'schema'")
    connection.close()
    check_answers(house)


@pytest.mark.parametrize("kind", ["text", "zeros", "cut", "scribbled"])
def test_a_catalog_that_is_no_database_is_left_alone(house: House, kind: str) -> None:
    searchask("ingest", house.file)
    catalog = house.root / "storage/catalog.sqlite"
    content = catalog.read_bytes()
    assert len(content) > 4 * 16384
    damaged = {
        "text": b"this is no database\n" * 3000,
        "zeros": bytes(len(content)),
        "cut": content[: 2 * 16384],
        "scribbled": content[:16384] + b"\xa5" * (len(content) - 16384),
    }[kind]
    catalog.write_bytes(damaged)
    for verb, *words in VERBS:
        said = searchask(verb, house.file, *words)
        refused(said, "it is not a catalog, or it is damaged")
    said = searchask("doctor", house.file)
    assert said.code == 1
    assert "BAD  catalog" in said.out
    assert "Traceback" not in said.text
    assert catalog.read_bytes() == damaged
    catalog.write_bytes(content)
    check_answers(house)
    assert searchask("ingest", house.file).code == 0


def test_an_empty_catalog_file_is_a_new_one(house: House) -> None:
    (house.root / "storage").mkdir()
    (house.root / "storage/catalog.sqlite").touch()
    refused(searchask("documents", house.file), "searchask ingest")
    assert searchask("ingest", house.file).code == 0
    check_answers(house)


# read-only


def mounted(*words: object) -> None:
    """Mount something; skips where that is not allowed."""
    if not ROOT_USER or shutil.which("mount") is None:
        pytest.skip("mounting needs root")
    done = subprocess.run(["mount", *map(str, words)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


@pytest.fixture(params=["permissions", "mount"])
def read_only(request: pytest.FixtureRequest, house: House) -> Iterator[House]:
    """An ingested house whose storage can't be written to."""
    searchask("ingest", house.file)
    storage = house.root / "storage"
    if request.param == "mount":
        mounted("--bind", storage, storage)
        mounted("-o", "remount,bind,ro", storage)
        yield house
        subprocess.run(["umount", str(storage)], check=True)
        return
    everything = [storage, *storage.rglob("*")]
    for path in everything:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield house
    for path in everything:
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_read_only_storage_refuses_an_ingestion_and_answers(
    read_only: House,
) -> None:
    house = read_only
    storage = house.root / "storage"
    before = snapshot(storage)
    house.write("new.md", "# New\n\nSomething new.\n")
    refused(forked("ingest", house.file, plain=True), str(storage), "read-only")
    said = forked("ask", house.file, QUESTION, "--json", plain=True)
    assert said.code == 0, said.err
    assert said.json["outcome"] == "answered"
    assert {"meaning", "words"} <= set().union(*(each["by"] for each in said.json["trace"]["candidates"]))
    said = forked("plan", house.file, "--json", plain=True)
    assert said.code == 0, said.err
    assert said.json["counts"] == counts(new=1, unchanged=3)
    refused(forked("prune", house.file, plain=True), "read-only")
    assert snapshot(storage) == before


def test_a_storage_that_may_not_even_be_looked_into(house: House) -> None:
    searchask("ingest", house.file)
    storage = house.root / "storage"
    storage.chmod(0)
    try:
        for verb, *words in (("plan",), ("ask", QUESTION), ("ingest",)):
            refused(forked(verb, house.file, *words, plain=True), str(storage))
    finally:
        storage.chmod(0o755)
    check_answers(house)


# no room


def fill_more(house: House) -> None:
    """Documents that take some hundred kilobytes in the storage."""
    for number in range(60):
        paragraphs = "\n\n".join(
            f"Paragraph {number}.{line} is about {number * line} zebras." for line in range(40)
        )
        house.write(f"more{number}.md", f"# More {number}\n\n{paragraphs}\n")


def check_full(house: House, ingest: Callable[[], Said]) -> None:
    """An ingestion that finds no room says so, and what was indexed stays as it was."""
    before = house.live()
    fill_more(house)
    said = ingest()
    refused(said, "space")
    assert "damaged" not in said.err
    assert "delete" not in said.err
    assert {name: found for name, found in house.live().items() if name in before} == before
    check_answers(house)


def test_no_room_for_larger_files(house: House) -> None:
    searchask("ingest", house.file)
    largest = max(path.stat().st_size for path in (house.root / "storage").rglob("*") if path.is_file())
    check_full(house, lambda: forked("ingest", house.file, largest_file=largest + 10_000))
    assert searchask("ingest", house.file).code == 0
    assert len(house.live()) == 63
    assert house.agrees()


def test_a_disk_that_is_full_and_then_is_not(house: House) -> None:
    storage = house.root / "storage"
    storage.mkdir()
    mounted("-t", "tmpfs", "-o", "size=6m", "tmpfs", storage)
    try:
        said = forked("ingest", house.file)
        assert said.code == 0, said.err
        room = os.statvfs(storage).f_bavail * os.statvfs(storage).f_frsize
        (storage / "filler").write_bytes(bytes(max(0, room - 300_000)))
        check_full(house, lambda: forked("ingest", house.file))
        for free in (150_000, 20_000, 0):  # full at another step each time
            room = os.statvfs(storage).f_bavail * os.statvfs(storage).f_frsize
            (storage / f"filler{free}").write_bytes(bytes(max(0, room - free)))
            said = forked("ingest", house.file)
            refused(said, "space")
        mounted("-o", "remount,size=200m", storage)
        assert searchask("ingest", house.file).code == 0
        assert len(house.live()) == 63
        assert house.agrees()
    finally:
        subprocess.run(["umount", "-l", str(storage)], check=True)


# endpoints

FAULTS: list[tuple[str, dict[str, Any], str]] = [
    ("429", {"busy": 10**6, "retry_after": "0.01"}, "too many requests or quota used up (429)"),
    ("500", {"broken_from": 1}, "the endpoint answered 500"),
    ("wrong dimension", {"dimension": 100}, "vectors of 100 dimensions came where 384 were expected"),
    ("NaN", {"number": float("nan")}, "a vector holds NaN or infinity"),
    ("hangs", {"hang": True}, "no answer within the timeout"),
    ("wrong key", {"key": "another"}, "the key was refused (401); check api_key"),
    ("no JSON", {"garbage": f"<html>{KEY}</html>"}, "is this the right base_url?"),
    ("no vectors", {"missing": 2}, "the answer holds no embeddings"),
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[OpenAIServer]:
    server = OpenAIServer()
    yield server
    server.close()


def ask_endpoint(house: House, server: OpenAIServer) -> None:
    """Let a config embed by a server, with a key that must not be told."""
    server.reset()
    model = {"type": "openai_like", "model": "m", "base_url": server.url, "api_key": KEY}
    limits = {"timeout": 0.4, "retries": 1, "batch_size": 2, "concurrency": 2}
    engines = {"answer": {"retriever": "both"}, "words": {"retriever": "words"}}
    house.edit(embed_model={**model, **limits}, query_engines=engines)


def check_secret(house: House, *said: Said) -> None:
    """See that no output and no file of the storage holds the key."""
    assert not any(KEY in each.text or KEY[3:20] in each.text for each in said)
    for name, content in snapshot(house.root / "storage").items():
        assert KEY.encode() not in content, name
        assert KEY[:16].encode() not in content, name


@pytest.mark.parametrize(
    ("faults", "why"), [fault[1:] for fault in FAULTS], ids=[fault[0] for fault in FAULTS]
)
def test_an_endpoint_that_fails(
    house: House, endpoint: OpenAIServer, faults: dict[str, Any], why: str
) -> None:
    ask_endpoint(house, endpoint)
    if "dimension" not in faults:  # a new index takes the model's own
        endpoint.reset(**faults)
        first = searchask("ingest", house.file)
        assert (first.code, "Traceback" in first.text) == (1, False)
        assert f"m at {endpoint.url}: " in first.err
        assert why in first.err
        assert texts(house) == {}
        endpoint.reset()
    assert searchask("ingest", house.file).code == 0
    before = house.live()
    house.write("doc001.md", "# Edited\n\nThe cafeteria is closed.\n")
    house.write("new.md", "# New\n\nThe cafeteria is new.\n")
    endpoint.reset(**faults)
    second = searchask("ingest", house.file)
    assert (second.code, "Traceback" in second.text) == (1, False), second.text
    assert f"m at {endpoint.url}: " in second.err
    assert why in second.err
    assert {name: found for name, found in texts(house).items() if name in before} == before
    words = searchask("retrieve", house.file, QUESTION, "--engine", "words", "--json")
    assert words.json["candidates"]
    asked = searchask("ask", house.file, QUESTION)
    refused(asked, why)
    examined = searchask("doctor", house.file)
    assert examined.code == 1
    shown = searchask("jobs", house.file, 2)
    check_secret(house, second, asked, examined, shown, searchask("explain", house.file), words)
    endpoint.reset()
    assert searchask("ingest", house.file).code == 0
    assert len(texts(house)) == 4
    assert "closed" in house.live()["doc001.md"][0]
    assert house.agrees()

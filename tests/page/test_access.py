from __future__ import annotations

import asyncio
import io
import stat
import threading
import time
from argparse import Namespace
from pathlib import Path

import pytest

from pipelines.commands import users as commands
from pipelines.errors import ConfigError, SearchaskError
from pipelines.page import users as user_file
from pipelines.page.access import Logins, Sessions
from pipelines.page.users import Hash, read_users, remove_user, set_user

WORD = "correct horse"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_file, "_N", 2**10)
    monkeypatch.setattr(user_file, "_P", 1)


@pytest.fixture
def file(tmp_path: Path, cheap: None) -> Path:
    path = tmp_path / "users.yaml"
    set_user(path, "alice", WORD)
    return path


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_hashes_are_salted_and_as_strong_as_they_should_be() -> None:
    one, two = Hash.of(WORD), Hash.of(WORD)
    assert str(one) != str(two)
    assert str(one).startswith("scrypt$32768$8$3$")
    assert Hash.parse(str(one)) == one
    assert one.fits(WORD)
    assert not one.fits(WORD + " ")
    assert WORD not in repr(one) and "$" not in repr(one)


@pytest.mark.parametrize(
    "text",
    ["", WORD, "scrypt$3$8$1$AAAAAAAA$AAAAAAAA", "scrypt$1048576$99$9$AAAAAAAA$AAAAAAAA", "bcrypt$1$2$3$4$5"],
)
def test_what_is_no_hash_or_costs_too_much_is_refused(text: str) -> None:
    assert Hash.parse(text) is None


def test_the_same_letters_typed_in_two_ways_fit(file: Path) -> None:
    set_user(file, "zoe\u0308", "pa\u0308sswort-1")
    assert Logins(file).check("zo\u00eb", "p\u00e4sswort-1")


def test_a_new_file_is_for_its_owner_only(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["users.yaml"]


def test_other_entries_and_comments_stay(file: Path) -> None:
    file.write_text(file.read_text().replace("users:\n", "users:\n  # the librarian\n") + "  # the end")
    assert set_user(file, "王芳", WORD)
    assert set_user(file, "no", WORD)
    assert not set_user(file, "alice", "another password")
    text = file.read_text()
    assert "# the librarian" in text and "# the end" in text
    assert list(read_users(file)) == ["alice", "王芳", "no"]
    assert read_users(file)["alice"].fits("another password")
    remove_user(file, "王芳")
    assert "# the librarian" in file.read_text()
    assert list(read_users(file)) == ["alice", "no"]


def test_a_file_in_another_style_is_written_anew(file: Path) -> None:
    entry = str(read_users(file)["alice"])
    file.write_text(f'{{"users": {{"alice": "{entry}"}}}}')
    set_user(file, "bob", WORD)
    assert list(read_users(file)) == ["alice", "bob"]
    for name in ("alice", "bob"):
        remove_user(file, name)
    assert read_users(file) == {}
    set_user(file, "eve: {x", WORD)
    assert list(read_users(file)) == ["eve: {x"]


def test_a_broken_file_is_told_with_its_lines_and_without_secrets(file: Path) -> None:
    entry = str(read_users(file)["alice"])
    file.write_text(f"users:\n  alice: {entry}\n  bob: open-sesame\nother: 1\n")
    with pytest.raises(ConfigError) as caught:
        read_users(file)
    text = str(caught.value)
    assert "users.yaml:3:3: users.bob: is no hash: write it with `searchask user add FILE NAME`" in text
    assert "users.yaml:4:1:" in text
    assert "sesame" not in text and entry not in text
    before = file.read_bytes()
    with pytest.raises(ConfigError):
        set_user(file, "carol", WORD)
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("", WORD),
        ("a\nb", WORD),
        ("x" * 300, WORD),
        ("bob", "short"),
        ("bob", "x" * 300),
        ("bob", "tab\tin-it"),
    ],
)
def test_names_and_passwords_that_will_not_do(file: Path, name: str, password: str) -> None:
    with pytest.raises(SearchaskError) as caught:
        set_user(file, name, password)
    assert not password or password not in str(caught.value)
    assert list(read_users(file)) == ["alice"]


def test_only_the_right_password_of_a_known_name_logs_in(file: Path) -> None:
    logins = Logins(file)
    assert logins.check(" alice ", WORD)
    assert not logins.check("alice", "wrong")
    assert not logins.check("mallory", WORD)
    assert not logins.check("alice", WORD * 1000)
    assert asyncio.run(logins.allow("alice", WORD))


def test_a_file_without_users_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match="user add"):
        Logins(tmp_path / "users.yaml")
    (tmp_path / "users.yaml").write_text("users: {}\n")
    with pytest.raises(SearchaskError, match="there are no users"):
        Logins(tmp_path / "users.yaml")


def test_changes_of_the_file_are_seen_at_once(file: Path) -> None:
    logins = Logins(file)
    set_user(file, "bob", WORD)
    assert logins.check("bob", WORD)
    remove_user(file, "bob")
    assert not logins.check("bob", WORD)
    file.write_text("users: [broken")
    assert not logins.check("alice", WORD)


def test_an_unknown_name_costs_the_same_work(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = Logins(file)
    asked: list[int] = []
    monkeypatch.setattr(Hash, "fits", lambda self, password: bool(asked.append(self.n)))
    logins.check("alice", "wrong")
    logins.check("mallory", "wrong")
    assert asked == [2**10, 2**10]


def test_failures_slow_a_name_down_up_to_a_minute(file: Path) -> None:
    clock = Clock()
    logins = Logins(file, clock=clock)
    set_user(file, "bob", WORD)
    assert [logins.check("alice", "wrong") for _ in range(3)] == [False] * 3
    assert not logins.check("alice", WORD)  # refused unseen
    assert logins.check("bob", WORD)  # another name is not held up
    clock.now += 1
    assert logins.check("alice", WORD)
    waits = []
    for _ in range(12):
        began = clock.now
        while not logins._admit("alice"):
            clock.now += 1
        waits.append(clock.now - began)
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.now += 1000
    assert logins.check("alice", WORD)


def test_what_is_remembered_of_failures_is_bounded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.page.access._REMEMBERED", 50)
    logins = Logins(file)
    for number in range(200):
        assert logins._admit(f"name{number}")
    assert len(logins._tries) == 50


def test_few_passwords_are_looked_at_at_once(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = Logins(file)
    guard, now, most = threading.Lock(), 0, 0

    def slow(self: Hash, password: str) -> bool:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        time.sleep(0.02)
        with guard:
            now -= 1
        return True

    monkeypatch.setattr(Hash, "fits", slow)
    threads = [threading.Thread(target=logins.check, args=(f"name{each}", WORD)) for each in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2
    assert logins.check("alice", WORD)


def test_a_session_ends_with_the_user_the_password_or_the_time(file: Path) -> None:
    clock = Clock()
    set_user(file, "bob", WORD)
    sessions = Sessions(Logins(file), days=1, most=3, clock=clock)
    sessions["a"], sessions["b"] = "alice", "bob"
    assert (sessions.get("a"), sessions.get("b"), sessions.get("c"), sessions.get(None)) == (
        "alice",
        "bob",
        None,
        None,
    )
    remove_user(file, "bob")
    assert (sessions.get("a"), sessions.get("b")) == ("alice", None)
    set_user(file, "alice", "another password")
    assert sessions.get("a") is None
    sessions["d"] = "alice"
    clock.now += 90_000
    assert sessions.get("d") is None
    for token in "efgh":
        sessions[token] = "alice"
    assert list(sessions) == ["f", "g", "h"]
    del sessions["g"]
    assert sessions.get("g") is None
    assert len(sessions._begun) == 2


def run(monkeypatch: pytest.MonkeyPatch, command: str, file: Path, name: str = "", typed: str = "") -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    found = getattr(commands, f"user_{command}_command")
    return int(found(Namespace(file=str(file), name=name)))


def test_the_commands(
    tmp_path: Path, cheap: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "users.yaml"
    assert run(monkeypatch, "add", file, "alice", WORD + "\n") == 0
    assert run(monkeypatch, "add", file, "alice", WORD + "!\n") == 0
    assert run(monkeypatch, "add", file, "bob", WORD) == 0
    assert run(monkeypatch, "list", file) == 0
    assert run(monkeypatch, "remove", file, "bob") == 0
    with pytest.raises(SearchaskError, match="no user is called 'bob'; there are: alice"):
        run(monkeypatch, "remove", file, "bob")
    said = capsys.readouterr().out
    assert said.splitlines() == [
        f"{file}: alice can log in",
        f"{file}: alice has a new password",
        f"{file}: bob can log in",
        "alice",
        "bob",
        f"{file}: bob is removed",
    ]
    assert Logins(file).check("alice", WORD + "!")


def test_two_passwords_that_differ_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    typed = iter([WORD, WORD + "x"])
    monkeypatch.setattr("sys.stdin", Terminal())
    monkeypatch.setattr(commands, "getpass", lambda prompt: next(typed))
    with pytest.raises(SearchaskError, match="differ"):
        commands.user_add_command(Namespace(file=str(tmp_path / "users.yaml"), name="alice"))
    assert not (tmp_path / "users.yaml").exists()

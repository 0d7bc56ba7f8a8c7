"""Who may be served, and who may edit: decided before anything listens."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

pytest.importorskip("gradio", reason="the page needs the `ui` extra")

from pipelines.errors import SearchaskError
from pipelines.page.site import Site
from tests.support.house import House
from ui import _guard, serve

HERE = ["127.0.0.1", "127.0.0.2", "::1", "[::1]", "localhost"]
ELSEWHERE = [
    "0.0.0.0", "::", "[::]", "192.168.1.5", "10.0.0.1", "8.8.8.8", "fe80::1", "::ffff:8.8.8.8", "2001:db8::1",
    "example.com", "localhost.example.com", "127.0.0.1.example.com", "my-machine", "", " ", "0", "127.1", "*",
]  # fmt: skip
USERS = Path("users.yaml")


def refused(
    host: str, users: Path | None = None, *, mcp: bool = False, edit: bool = False, names: str = ""
) -> str:
    try:
        _guard(host, users, mcp=mcp, edit=edit, trusted=names.split())
    except SearchaskError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("host", "users", "mcp", "edit"),
    itertools.product(HERE + ELSEWHERE, (None, USERS), (False, True), (False, True)),
)
def test_who_is_let_in(host: str, users: Path | None, mcp: bool, edit: bool) -> None:
    """Without a login only this machine; MCP only without one; editing changes neither."""
    allowed = (users is not None or host in HERE) and not (mcp and users is not None)
    assert (refused(host, users, mcp=mcp, edit=edit) == "") == allowed


@pytest.mark.parametrize("host", HERE)
def test_editing_under_another_name_needs_a_login(host: str) -> None:
    """A proxy brings people from elsewhere to a page that listens on loopback."""
    assert "--edit" in refused(host, edit=True, names="localhost docs.example.com")
    assert refused(host, edit=False, names="docs.example.com") == ""
    assert refused(host, USERS, edit=True, names="docs.example.com") == ""
    assert refused(host, edit=True, names="localhost 127.0.0.1 ::1") == ""


def test_each_refusal_says_what_would_help() -> None:
    assert "--auth users.yaml" in refused("0.0.0.0")
    assert "127.0.0.1" in refused("127.0.0.1", USERS, mcp=True)
    assert "--auth" in refused("127.0.0.1", edit=True, names="docs.example.com")


def test_nothing_listens_where_it_is_refused(tmp_path: Path) -> None:
    site = Site(House(tmp_path).file)
    with pytest.raises(SearchaskError, match="--auth"):
        serve(site, host="0.0.0.0", wait=False)


def test_the_users_are_no_config(tmp_path: Path) -> None:
    """Their hashes would be shown by the tab that shows configs."""
    house = House(tmp_path)
    users = tmp_path / "users.yaml"
    users.write_text("users: {}\n", encoding="utf-8")
    with pytest.raises(SearchaskError, match="among the configs"):
        serve(Site(house.root), users=tmp_path / "docs" / ".." / "users.yaml", wait=False)

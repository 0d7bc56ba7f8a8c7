"""Names of uploaded files, as hostile as a browser or a script can send them."""

from __future__ import annotations

import unicodedata

import pytest

from pipelines.errors import Refused
from pipelines.page.uploads import remove, safe_name
from tests.page.test_uploads import house, listed, upload
from tests.support.house import House

__all__ = ["house"]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("plain.md", "plain.md"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("/etc/cron.d/job.txt", "job.txt"),
        ("..\\..\\windows\\evil.md", "evil.md"),
        ("C:\\Users\\me\\报告.txt", "报告.txt"),
        ("....evil.md", "evil.md"),
        (".hidden.md", "hidden.md"),
        (" . . name.md", "name.md"),
        ("name.md. . ", "name.md"),
        ("a\x00b.md", "ab.md"),
        ("a\nb\r\x1b[31m.md", "ab[31m.md"),
        ("invoice\u202efdp.md", "invoicefdp.md"),
        ("zero\u200bwidth\ufeff.md", "zerowidth.md"),
        ("bad\udc80.md", "bad.md"),
        ("e\u0301.md", "\u00e9.md"),
        ("e\u200b\u0301.md", "\u00e9.md"),
        ("\u3000年假.md\u3000", "年假.md"),
        ("<img src=x onerror=alert(1)>.md", "<img src=x onerror=alert(1)>.md"),
        ("$(reboot);`id`.md", "$(reboot);`id`.md"),
        ("-rf.md", "-rf.md"),
        ("100%25.md", "100%25.md"),
    ],
)
def test_a_name_becomes_one_in_the_folder(house: House, name: str, wanted: str) -> None:
    assert safe_name(name) == wanted
    assert unicodedata.is_normalized("NFC", safe_name(name))
    path = upload(house, name)
    assert listed(house) == [wanted]
    assert remove(house.config, "files", path).path == path
    assert listed(house) == []


@pytest.mark.parametrize(
    "name", ["", ".", "..", "...", "/", "a/", "\\", "\x00", "\u202e", " ", "\u3000", ". .", "a/.."]
)
def test_a_name_of_nothing_is_refused(house: House, name: str) -> None:
    with pytest.raises(Refused, match="no usable name"):
        upload(house, name)
    assert listed(house) == []


def test_a_long_name_is_refused(house: House) -> None:
    with pytest.raises(Refused, match="the name has 303 bytes, 240 at most"):
        upload(house, "长" * 100 + ".md")
    assert upload(house, "长" * 79 + ".md")

"""Hidden text of a page is left out and told of; what is seen is not."""

from __future__ import annotations

import pytest

from pipelines.reading.html import to_markdown

PAGE = "<html><body><p>Staff get 15 days.</p>{}<p>That is all.</p></body></html>"


@pytest.mark.parametrize(
    "part",
    [
        '<p style="display: NONE">Obey</p>',
        '<p style="color:red;visibility:hidden">Obey</p>',
        '<span style="font-size:0px">Obey</span>',
        '<b style="font-size: 0.0em !important">Obey</b>',
        '<p style="text-indent:-9999px">Obey</p>',
        '<p style="position:absolute; left:-10000px">Obey</p>',
        '<p style="color:#fff">Obey</p>',
        '<font color="WHITE">Obey</font>',
        '<p style="color:#123;background-color:#123">Obey</p>',
        '<div style="background:black"><p style="color:rgb(0, 0, 0)">Obey</p></div>',
        "<p hidden>Obey</p>",
        '<p aria-hidden="true">Obey</p>',
    ],
)
def test_what_nobody_sees_is_left_out_and_noted(part: str) -> None:
    text, notes = to_markdown(PAGE.format(part))
    assert text.strip() == "Staff get 15 days.\n\nThat is all."
    assert notes == ("hidden text was left out (4 characters)",)


@pytest.mark.parametrize(
    "part",
    [
        '<div style="background:#000"><p style="color:#fff">Seen</p></div>',
        '<p class="hero" style="color:white">Seen</p>',
        '<div class="dark"><p style="color:white">Seen</p></div>',
        '<table bgcolor="#000000"><tr><td><font color="#ffffff">Seen</font></td></tr></table>',
        '<div style="font-size:0"><p style="font-size:14px">Seen</p></div>',
        '<p style="font-size:0.9em;left:-1px;opacity:0.5">Seen</p>',
        '<p style="background:#fff;color:#000">Seen</p>',
    ],
)
def test_what_is_seen_stays(part: str) -> None:
    text, notes = to_markdown(PAGE.format(part))
    assert "Seen" in text
    assert notes == ()


def test_an_icon_is_not_worth_a_note() -> None:
    assert to_markdown(PAGE.format('<i aria-hidden="true">★</i>'))[1] == ()


def test_a_style_of_any_length_is_read_at_once() -> None:
    for style in ("font-size:" + "0" * 100_000 + "x", ";" * 100_000, "color:" + "a" * 100_000):
        to_markdown(PAGE.format(f'<p style="{style}">Seen</p>'))

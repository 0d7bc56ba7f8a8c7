"""Texts from outside as Markdown, through a real renderer of CommonMark and GFM: they show as they are, inert."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from pipelines.page import answers
from pipelines.page.answers import Chat, Turn
from pipelines.page.markdown import escaped
from pipelines.querying.answer import Answer, Citation, Outcome, Sentence
from pipelines.querying.trace import Trace
from pipelines.words import Language

pytest.importorskip("markdown_it", reason="needs markdown-it-py to render")
pytest.importorskip("linkify_it", reason="needs linkify-it-py: bare addresses become links on the page, too")

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</p></div><style>body{display:none}</style>",
    "<form action=https://example.com><input name=password></form>",
    "<!-- a comment --> and <?php echo 1 ?> and <![CDATA[x]]>",
    "[click](https://example.com)",
    "[click](javascript:alert(1))",
    "[click][ref]\n\n[ref]: https://example.com",
    "![pixel](https://example.com/p.png)",
    "\\![pixel](https://example.com/p.png)",
    "\\\\[click](https://example.com)",
    "<https://example.com>",
    "<mailto:a@example.com>",
    "https://example.com/path_(x)?a=b&c=d",
    "HTTP://EXAMPLE.com, ftp://example.com and //example.com",
    "www.example.com and WWW.example.com and example.com",
    "someone@example.com and mailto:someone@example.com",
    "javascript:alert(1) and data:text/html,<b>x</b>",
    "# Heading",
    "Heading\n===",
    "Heading\n---",
    "- a list\n- of things",
    "* a list\n+ of things",
    "1. a list\n2) of things",
    "- [ ] a task\n- [x] done",
    "> a quote\n>> in a quote",
    "***",
    "a | b\n--|--\n1 | 2",
    "| a | b |\n|:-:|---|\n| 1 | 2 |",
    "```js\nalert(1)\n```",
    "~~~\ncode\n~~~",
    "```mermaid\ngraph TD\n```",
    "`code` and ``co`de``",
    "    indented code",
    "\tindented code",
    "text\n\n    indented code\n\n\tmore of it",
    "text\r\r    indented code\r\n\r\n    more",
    "text\n \n      deep",
    "*emphasis* **strong** _emphasis_ __strong__ ~~struck~~ ~x~",
    "年假*五天*，**十天**。",
    "$$x^2$$ and $y$ and \\(z\\) and \\[w\\]",
    "a note[^1]\n\n[^1]: the note",
    "&lt;b&gt; &amp; &copy; &#60; &#x3C; &nbsp;",
    "& and &&amp;amp;",
    "back\\slash \\* \\\\ at the end\\",
    "a line that ends in a backslash\\\nand goes on",
    "two spaces at the end  \nand on",
    "==marked== ^up^ :smile: {#id .class} {{x}} ${x} <%= x %>",
    "term\n: definition",
    "\"quotes\" 'and' dashes -- --- ... (c) (tm)",
    "[1](#cite-1-1) [2] [x](#)",
    "NUL \x00 and BEL \x07 and ESC \x1b[31m",
    "separators \u2028# not a heading\u2029    not code\x0b\x0c end",
    "right to left \u202ecod.exe and zero\u200bwidth",
    "half of an emoji \ud83d alone",
    "😀 and 𠮷 and é",
    "line\n\n\n\nafter empty lines",
    "",
]


def rendered(markdown: str) -> str:
    from markdown_it import MarkdownIt

    options: dict[str, Any] = {"html": True, "linkify": True}
    return str(
        MarkdownIt("commonmark", options).enable(["table", "strikethrough", "linkify"]).render(markdown)
    )


def seen(markup: str) -> str:
    """What a person reads: paragraphs and breaks as line breaks."""
    lines = re.sub(r"<br />\n?", "\n", markup).replace("</p>\n<p>", "\n\n")
    return html.unescape(re.sub(r"</?p>", "", lines)).strip()


def plain(text: str) -> str:
    """The same for the text itself: white space that no browser shows is one space, or none at an end."""
    text = text.replace("\ud83d", "?").replace("\x00", "\ufffd")
    return "\n".join(" ".join(line.split(" ")) for line in re.split(r"\r\n|\r|\n", text))


def squeezed(text: str) -> str:
    """Without the differences in white space that can't be seen."""
    lines = [re.sub(r"[ \t\xa0]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip()


def tags(markup: str) -> set[str]:
    return set(re.findall(r"</?([a-zA-Z][\w-]*)", markup))


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("www.example.com", "a"),
        ("https://example.com", "a"),
        ("a@example.com", "a"),
        ("a | b\n--|--\n1 | 2", "table"),
        ("Heading\n===", "h1"),
        ("~~struck~~", "s"),
        ("<img src=x>", "img"),
    ],
)
def test_the_renderer_itself_would_read_markup(text: str, tag: str) -> None:
    assert tag in tags(rendered(text))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_text_from_outside_shows_as_it_is(text: str) -> None:
    markup = rendered(escaped(text))
    assert tags(markup) <= {"p", "br"}, markup
    assert squeezed(seen(markup)) == squeezed(plain(text))


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("state", ["asking", "failed", "stopped"])
def test_a_draft_and_an_error_are_inert(text: str, state: Any) -> None:
    turn = Turn(1, "b", "e", text, draft=text, state=state, error=text)
    for language in ("en", "zh"):
        markup = rendered(answers.written(turn, language))
        assert tags(markup) <= {"p", "br", "blockquote", "strong"}, markup
    for message in answers.messages(Chat([turn]), "en"):
        assert tags(rendered(message["content"])) <= {"p", "br", "blockquote", "strong"}
        message["content"].encode()  # a lone surrogate can't be sent


def answered(text: str, sentences: list[Sentence], cited: int = 1, outcome: Outcome = "answered") -> Turn:
    citations = tuple(
        Citation(number, "a.md", "files", None, "", "p", "q", 0, 1, "n") for number in range(1, cited + 1)
    )
    answer = Answer("q", outcome, text, citations, tuple(sentences), "e", Trace("e", "r", "en"))
    return Turn(4, "b", "e", "q", answer=answer, state="done")


def shown(turn: Turn, language: Language = "en") -> str:
    return rendered(answers.written(turn, language)).strip()


@pytest.mark.parametrize("text", HOSTILE[:-1])
def test_an_answer_is_inert_but_for_its_marks(text: str) -> None:
    turn = answered(f"{text} [1]", [Sentence(text, (1,), True)])
    markup = shown(turn)
    assert tags(markup) <= {"p", "br", "a"}, markup
    assert re.findall(r"<a [^>]*>", markup) == ['<a href="#cite-4-1">']
    refused = answered(text, [], 0, "refused")
    assert tags(shown(refused)) <= {"p", "br", "blockquote", "strong"}


def test_only_marks_of_citations_are_links() -> None:
    said = "The value of argv[1] is the name, see [7]."
    turn = answered(
        f"{said} [1][2] More[1]. [9]", [Sentence(said, (1, 2), True), Sentence("More[1].", (), True)], 2
    )
    assert shown(turn) == (
        "<p>The value of argv[1] is the name, see [7]. "
        '<a href="#cite-4-1">1</a><a href="#cite-4-2">2</a> More[1]. [9]</p>'
    )


def test_the_same_sentence_twice_has_both_its_marks() -> None:
    same = [Sentence("Yes.", (), True), Sentence("Yes.", (1,), True)]
    assert shown(answered("Yes. Yes. [1]", same)) == '<p>Yes. Yes. <a href="#cite-4-1">1</a></p>'


def test_an_answer_that_begins_with_an_indented_row() -> None:
    turn = answered("| a |\n| 1 | [1]", [Sentence("  | a |\n| 1 |", (1,), True)])
    assert '<a href="#cite-4-1">1</a>' in shown(turn)
    assert "<a" not in shown(answered("Else [1]", [Sentence("Nowhere.", (1,), True)]))


@pytest.mark.parametrize("mark", ["［无出处］", " [unsupported]"])
def test_a_sentence_without_support_is_marked_in_both_languages(mark: str) -> None:
    said = [Sentence("年假五天", (), False), Sentence("共十天。", (1,), True)]
    turn = answered(f"年假五天{mark}共十天。[1]", said)
    for language, words in (("en", "no support found"), ("zh", "未找到依据")):
        markup = shown(turn, language)  # type: ignore[arg-type]
        assert f"<em>⟨{words}⟩</em>" in markup
        assert "*" not in markup
        assert '<a href="#cite-4-1">1</a>' in markup


def test_a_document_that_speaks_of_marks_gets_none() -> None:
    said = "The word [unsupported] stands in the text."
    assert "<em>" not in shown(answered(f"{said} [1]", [Sentence(said, (1,), True)]))


def test_a_question_is_inert() -> None:
    for text in HOSTILE:
        (asked, _) = answers.messages(Chat([Turn(1, "b", "e", text)]), "en")
        assert tags(rendered(asked["content"])) <= {"p", "br"}

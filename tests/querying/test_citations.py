from __future__ import annotations

from collections.abc import Sequence

import pytest
from llama_index.core.schema import NodeWithScore, TextNode

from pipelines.querying.citations import check, citation

DOCUMENT = (
    "# Leave\n\n"
    "Staff get 15 days of annual leave. It must be booked two weeks ahead. Unused leave is lost on 31 March."
)
ENGLISH = DOCUMENT[9:]
CHINESE = "员工入职满一年可享受十五天年假。年假须提前两周申请。未休年假于次年三月三十一日清零。"


def node(text: str, start: int | None, document: str) -> NodeWithScore:
    metadata = {"document": document, "loader": "files", "page": 3, "heading": "Rules > Leave"}
    return NodeWithScore(node=TextNode(text=text, start_char_idx=start, metadata=metadata), score=1.0)


NODES = [node(ENGLISH, 9, "leave.md"), node(CHINESE, 0, "年假.md")]


@pytest.mark.parametrize(
    ("written", "text", "documents"),
    [
        ("Staff get 15 days of annual leave [1].", "Staff get 15 days of annual leave. [1]", ["leave.md"]),
        ("Staff get 15 days of annual leave. [1]", "Staff get 15 days of annual leave. [1]", ["leave.md"]),
        ("[1] Staff get 15 days of leave.", "Staff get 15 days of leave. [1]", ["leave.md"]),
        ("Annual leave is 15 days【1】.", "Annual leave is 15 days. [1]", ["leave.md"]),
        ("Annual leave is 15 days, it says [1, 2].", "Annual leave is 15 days, it says. [1]", ["leave.md"]),
        ("满一年有 15 天假[2]。年假提前两周申请[2]。", "满一年有 15 天假。[1]年假提前两周申请。[2]", ["年假.md"] * 2),
    ],
)  # fmt: skip
def test_markers_are_put_behind_the_sentence_and_counted_anew(
    written: str, text: str, documents: list[str]
) -> None:
    checked = check(written, NODES, "en")
    assert checked.text.strip() == text
    assert [each.document for each in checked.citations] == documents
    assert [each.number for each in checked.citations] == list(range(1, len(documents) + 1))
    assert all(sentence.supported for sentence in checked.sentences)


def test_a_citation_carries_its_place_in_the_document() -> None:
    (cited,) = check("It must be booked two weeks ahead. [1]", NODES, "en").citations
    assert cited.quote == "It must be booked two weeks ahead."
    assert (cited.start, cited.end) == (44, 78)
    assert DOCUMENT[44:78] == cited.quote
    assert (cited.page, cited.heading, cited.loader) == (3, "Rules > Leave", "files")
    assert cited.passage == ENGLISH


def test_without_offsets_a_citation_has_its_quote_only() -> None:
    (cited,) = check("Booked two weeks ahead. [1]", [node(ENGLISH, None, "x.md")], "en").citations
    assert (cited.start, cited.end) == (None, None)
    assert cited.quote == "It must be booked two weeks ahead."


def test_a_marker_that_points_nowhere_is_removed() -> None:
    checked = check("Unused leave is lost on 31 March [7].", NODES, "en")
    assert checked.text == "Unused leave is lost on 31 March. [1]"


def test_a_marker_that_points_at_the_wrong_passage_gives_way() -> None:
    checked = check(
        "Unused leave is lost on 31 March [2].", [NODES[0], node("Cats sleep a lot.", 0, "cats.md")], "en"
    )
    assert [each.document for each in checked.citations] == ["leave.md"]


def test_sentences_without_markers_are_aligned_all_the_same() -> None:
    checked = check("Unused leave is lost. Staff get 15 days of leave.", NODES, "en")
    assert [each.quote for each in checked.citations] == [
        "Unused leave is lost on 31 March.",
        "Staff get 15 days of annual leave.",
    ]


@pytest.mark.parametrize(("language", "mark"), [("en", " [unsupported]"), ("zh", "［无出处］")])
def test_a_sentence_without_support_is_marked(language: str, mark: str) -> None:
    checked = check("Staff get 20 days of annual leave [1].", NODES, language)
    assert checked.text == f"Staff get 20 days of annual leave.{mark}"
    assert not checked.citations
    assert [sentence.supported for sentence in checked.sentences] == [False]


def test_what_claims_nothing_needs_no_support() -> None:
    checked = check("Here it is:\n- It must be booked two weeks ahead.", NODES, "en")
    assert [(each.supported, each.citations) for each in checked.sentences] == [(True, ()), (True, (1,))]


def test_a_bare_yes_rests_on_what_answers_the_question() -> None:
    checked = check("Yes.", NODES, "en", question="Must it be booked ahead?")
    assert [each.quote for each in checked.citations] == ["It must be booked two weeks ahead."]
    assert checked.text == "Yes. [1]"


def test_brackets_of_the_matter_are_no_markers() -> None:
    passage = node("The first argument is argv[1] of the program.", 0, "c.md")
    checked = check("The first argument is argv[1]. [1]", [passage], "en")
    assert checked.text == "The first argument is argv[1]. [1]"


def test_a_claim_in_another_language_is_aligned_by_meaning() -> None:
    def similar(claim: str, sentences: Sequence[str]) -> list[float]:
        return [float("booked" in sentence) for sentence in sentences]

    checked = check("必须提前申请[1]。", [NODES[0]], "zh", similar=similar)
    assert [each.quote for each in checked.citations] == ["It must be booked two weeks ahead."]
    assert checked.text == "必须提前申请。[1]"


def test_one_claim_from_two_passages_cites_both() -> None:
    nodes = [
        node("The Falcon was built in Leeds.", 0, "a.md"),
        node("The Osprey was assembled near York.", 0, "b.md"),
    ]
    checked = check("The Falcon was built in Leeds, the Osprey assembled near York [1][2].", nodes, "en")
    assert [each.document for each in checked.citations] == ["a.md", "b.md"]
    assert checked.text.endswith("[1][2]")


@pytest.mark.parametrize(
    ("at_start", "passage", "heading"),
    [
        ("Book", "# Book\n\n## Part\n\nThe quote.", "Book > Part"),
        ("Book > Part", "Text.\n\n### Chapter\n\nThe quote.", "Book > Part > Chapter"),
        ("Book > Part", "Text.\n\n## Other part\n\nThe quote.", "Book > Other part"),
        ("Book > Part", "The quote.\n\n## Other part\n\nText.", "Book > Part"),
        ("", "# a comment\nThe quote.", ""),
    ],
)
def test_a_citation_stands_under_the_headings_above_its_quote(
    at_start: str, passage: str, heading: str
) -> None:
    hit = node(passage, 0, "book.md")
    hit.node.metadata["heading"] = at_start
    start = passage.index("The quote.")
    assert citation(1, hit, start, start + 10).heading == heading

"""Questions with ready answers: every form of file, what is wrong with one, and answers from end to end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter, ValidationError

from pipelines import documents
from pipelines.components.loaders import Loader
from pipelines.documents import Document
from pipelines.errors import SearchaskError
from tests.support.cli import ROOT, searchask

ADAPTER: TypeAdapter[Any] = TypeAdapter(Loader)
TABLE = "问题,答案\n退货期限是多久？,签收后 7 天内。请保持完好。\n怎样开发票？,在订单里申请。\n"


def loader(base: Path, *paths: str, **fields: object) -> documents.Loader:
    built: documents.Loader = ADAPTER.validate_python({"type": "faq", "paths": list(paths), **fields}).build(
        base=base
    )
    return built


def texts(found: documents.Loader) -> list[str]:
    return [found.read(each, found.fetch(each)).text for each in found.scan()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_table_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.csv").write_bytes(TABLE.encode(encoding))
    found = loader(tmp_path, "a.csv")
    assert [each.path for each in found.scan()] == ["a.csv#退货期限是多久？", "a.csv#怎样开发票？"]
    assert texts(found) == [
        "# 退货期限是多久？\n\n签收后 7 天内。请保持完好。\n",
        "# 怎样开发票？\n\n在订单里申请。\n",
    ]


@pytest.mark.parametrize("ending", ["jsonl", "json", "yaml", "tsv"])
def test_every_form_says_the_same(tmp_path: Path, ending: str) -> None:
    entries = [{"Question": "How long?", "Answer": "Two\nlines."}, {"Question": "a/b?", "Answer": 7}]
    written = {
        "jsonl": "\n".join(map(json.dumps, entries)),
        "json": json.dumps(entries),
        "yaml": yaml.safe_dump(entries),
        "tsv": 'id\tanswer\tquestion\n1\t"Two\nlines."\tHow long?\n2\t7\ta/b?\n',
    }
    (tmp_path / f"a.{ending}").write_text(written[ending])
    found = loader(tmp_path, f"a.{ending}")
    assert texts(found) == ["# How long?\n\nTwo\nlines.\n", "# a/b?\n\n7\n"]
    assert [each.path for each in found.scan()][1] == f"a.{ending}#a／b?"


def test_own_columns_and_equal_questions(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Title;Body\nWhen?;Now\nWhen?;Later\n")
    found = loader(tmp_path, "a.csv", question="title", answer="Body")
    assert [each.path for each in found.scan()] == ["a.csv#When?", "a.csv#When? (2)"]


def test_a_pair_without_an_answer_is_told_and_the_others_stay(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("question,answer\nOne?,\nTwo?,2\n,3\n")
    assert [each.problem for each in loader(tmp_path, "a.csv").scan()] == [
        "line 2 has no answer",
        "",
        "line 4 has no question",
    ]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.csv", "one,two\n1,2\n", "a.csv: its first line must name the columns .* it has 'one', 'two'"),
        ("a.jsonl", '{"q": "x", "a": "y"}\n{"q"\n', r"a.jsonl: not valid JSON: .* \(line 2\)"),
        ("a.json", '{"q": 1}', "a.json: a list of entries"),
        ("a.json", "[" * 200_000, "a.json: it can't be read: RecursionError"),
        ("a.yaml", "- question: [\n", r"a.yaml: not valid YAML: .*\(line \d\)"),
        ("a.yaml", "- !!python/object/apply:os.system ['true']\n", "a.yaml: not valid YAML"),
        ("a.jsonl", "[1]\n", "line 1: an entry must have"),
    ],
)
def test_a_file_that_can_not_be_read_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SearchaskError, match=said):
        list(loader(tmp_path, name).scan())


def test_missing_and_unknown_files(tmp_path: Path) -> None:
    with pytest.raises(SearchaskError, match=r"no such file: .*none\.csv"):
        loader(tmp_path, "none.csv")
    with pytest.raises(ValidationError, match=r"is none of \.csv"):
        ADAPTER.validate_python({"type": "faq", "paths": ["a.docx"]})


def test_invisible_characters_are_gone_from_pairs(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("q,a\nWhen?,To\u200bday\u202e.\n", encoding="utf-8")
    found = loader(tmp_path, "a.csv")
    (source,) = found.scan()
    read: Document = found.read(source, found.fetch(source))
    assert read.text == "# When?\n\nToday.\n"
    assert read.notes == ("2 invisible characters were removed",)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped customer service, ingested elsewhere."""
    config = tmp_path_factory.mktemp("service") / "service.yaml"
    config.write_text(f"extends: {ROOT}/config/customer_service.yaml\nstorage: storage\n", encoding="utf-8")
    said = searchask("ingest", config, "--yes")
    assert said.code == 0, said.text
    return config


@pytest.mark.parametrize(
    ("question", "begins", "ends", "where"),
    [
        ("退货要在几天之内？", "自签收之日起 7 天内", "不支持无理由退货。", "zh.csv#退货期限是多久？"),
        ("钱什么时候退给我", "仓库收到退货并验收后", "再需要 5 到 7 天。", "zh.csv#退款多久到账？"),
        ("When is my money back?", "We refund to the same", "days to book it.", "en.jsonl#When do I get my refund?"),
        ("Return an item?", "You can return an item", "can't be returned.", "#How long do I have to return something?"),
    ],
)  # fmt: skip
def test_the_answer_is_that_of_the_question_that_fits(
    service: Path, question: str, begins: str, ends: str, where: str
) -> None:
    answer = searchask("ask", service, question, "--json").json
    assert answer["outcome"] == "answered"
    (cited,) = answer["citations"]
    assert answer["text"] == f"{' '.join(cited['quote'].split())} [1]"
    assert cited["quote"].startswith(begins) and cited["quote"].endswith(ends)
    assert cited["document"].endswith(where)
    assert cited["end"] - cited["start"] == len(cited["quote"])


@pytest.mark.parametrize(
    ("question", "said"),
    [("火星上有水吗？", "转接人工客服"), ("Who is the president of France?", "Our team will help you")],
)
def test_what_nothing_fits_is_handed_over_to_a_person(service: Path, question: str, said: str) -> None:
    answer = searchask("ask", service, question, "--json").json
    assert (answer["outcome"], answer["citations"]) == ("refused", [])
    assert said in answer["text"]

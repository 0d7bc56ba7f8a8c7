from __future__ import annotations

import pytest

from pipelines.text.analyser import Analyser

ANALYSER = Analyser()


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("带薪年假十五天", {"带薪", "年假", "年", "假"}),
        ("中华人民共和国", {"中华人民共和国", "共和国", "人民"}),
        ("于乐", {"于乐"}),
        ("R123-78", {"r123-78", "r123", "78", "123"}),
        ("Ｒ１２３－７８", {"r123-78", "r123", "78"}),
        ("v1.5.9", {"v1.5.9", "1.5.9"}),
        ("HTTP/2", {"http/2", "http", "2"}),
        ("max_retries", {"max_retries", "max", "retri"}),
        ("getUserName", {"getusernam", "get", "user", "name"}),
        ("HTTPServer", {"httpserver", "http", "server"}),
        ("li.wei@example.com", {"li.wei@example.com", "example", "exampl", "wei"} - {"example"}),
        ("/usr/lib/x.py", {"usr/lib/x.py", "usr", "py"}),
        ("C++ and C#", {"c++", "c#"}),
        ("1,000,000.5", {"1000000.5"}),
        ("3.14", {"3.14"}),
        ("Café Müller's", {"cafe", "muller"}),
        ("running studies", {"run", "studi"}),
        ("O'Brien’s AT&T", {"o'brien", "at&t"}),
        ("カタカナ", {"カタ", "カナ"}),
        ("Привет", {"привет"}),
    ],
)
def test_index_terms(text: str, wanted: set[str]) -> None:
    assert wanted <= set(ANALYSER.index_terms(text))


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("年假有几天？", ["年", "年假", "假"]),
        ("What is the warranty of the R123-78?", ["warranti", "r123-78", "r123", "78"]),
        ("什么是带薪假期？", ["带薪", "假期"]),
        ("的", ["的"]),
        ("what is this", ["what", "is", "this"]),
        ("", []),
        ("？！", []),
    ],
)
def test_query_terms(question: str, terms: list[str]) -> None:
    assert ANALYSER.query_terms(question) == terms


def test_a_question_finds_its_own_words() -> None:
    for text in [
        "年假怎么申请",
        "R123-78 的固件",
        "snake_case v1.5.9 HTTP/2",
        "乔许·哈却森",
        "don't panic",
        "状态机 StateMachine2",
    ]:
        assert set(ANALYSER.query_terms(text)) <= set(ANALYSER.index_terms(text))


def test_words_of_the_dictionary() -> None:
    analyser = Analyser(("数智员工", "员工", " iPhone 15 ", "R-9", ""))
    assert analyser.query_terms("数智员工是什么") == ["数智员工"]
    assert {"数智员工", "员工"} <= set(analyser.index_terms("新的数智员工平台"))
    assert analyser.query_terms("IPHONE 15 和 iPhone 150") == ["iphone_15", "iphon", "150"]
    assert "r-9" not in analyser.index_terms("R-90 xr-9")
    assert "15" in analyser.parts("iphone_15")


def test_fingerprint() -> None:
    assert Analyser(("a", "b")).fingerprint == Analyser(("b", "a", "")).fingerprint
    assert Analyser(("a",)).fingerprint != ANALYSER.fingerprint


def test_terms_are_bounded_and_free_of_white_space() -> None:
    terms = Analyser(("two words",)).index_terms("x" * 5000 + " two words a\u3000b \x1f c")
    assert all(0 < len(term) <= 64 and not any(c.isspace() for c in term) for term in terms)
    assert "two_words" in terms

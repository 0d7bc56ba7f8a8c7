from __future__ import annotations

import pytest

from pipelines.text.terms import first_unit, key_of, mentions, stem_titles, terms_of, text_titles, units


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("The Battle of Berlin", "battle of berlin"),
        ("  Agra   Fort. ", "agra fort"),
        ("João Pereira", "joao pereira"),
        ("Ｆｕｌｌ Ｗｉｄｔｈ", "full width"),
        ("Kurt Vonnegut’s", "kurt vonnegut"),
        ("年假制度", "年假制度"),
        ("小米 SU7 汽车", "小米su7汽车"),
        ("R123-78", "r123 78"),
        ("!!!", ""),
        ("word " * 40, ""),
    ],
)
def test_ways_to_write_a_name_have_one_key(name: str, key: str) -> None:
    assert key_of(name) == key


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Agra Fort is a historical fort in the city of Agra.", {"agra fort"}),
        ("The sarod (or sarode) is a stringed instrument.", {"sarod"}),
        ('Harry Lillis "Bing" Crosby Jr. (May 3, 1903) was a singer.', {"bing crosby", "harry crosby"}),
        ("Gatwick Airport (also known as London Gatwick) is large.", {"gatwick airport", "london gatwick"}),
        ("《红楼梦》是清代小说，又名《石头记》。", {"红楼梦", "石头记"}),
        ("北京大学（Peking University），简称北大，是一所大学。", {"北京大学"}),
    ],
)
def test_a_text_is_called_by_the_subject_of_its_first_sentence(text: str, titles: set[str]) -> None:
    assert titles <= set(text_titles(text, markdown=False))


def test_only_people_have_short_names() -> None:
    assert "wildlife reserve" not in text_titles("Krau Wildlife Reserve is the largest.", markdown=False)


def test_a_heading_is_a_title_and_what_stands_below_it_too() -> None:
    titles = text_titles("# Annual leave\n\nThe leave office (room 3) grants it.\n", markdown=True)
    assert titles == ["annual leave", "leave office"]


@pytest.mark.parametrize(
    ("path", "titles"),
    [
        ("hr/Annual_Leave.md", ["annual leave"]),
        ("2024-05-01_年假制度.docx", ["年假制度"]),
        ("1973_oil_crisis-section-10.txt", ["1973 oil crisis"]),
        ("travel-policy-2.pdf", ["travel policy"]),
        ("123.txt", []),
    ],
)
def test_a_file_name_is_a_title(path: str, titles: list[str]) -> None:
    assert stem_titles(path) == titles


def test_terms_are_names_quotes_identifiers_and_headings() -> None:
    text = 'The film was directed by Paul Verhoeven for "Blue Velvet Films" with the camera R123-78.'
    found = terms_of(text, "Production > Camera team")
    assert {"paul verhoeven", "blue velvet films", "r123 78", "production", "camera team"} <= set(found)
    assert "film" not in found


def test_terms_of_chinese() -> None:
    found = terms_of("《考勤制度》规定，年假由人力资源部批准。年假要提前申请，使用 OA-2000 系统。")
    assert {"考勤制度", "人力资源部", "oa 2000"} <= set(found)


def test_words_of_the_dictionary_are_terms() -> None:
    assert "云岚" in terms_of("我们用云岚做报表", dictionary=["云岚"])
    assert "云岚" not in terms_of("我们用云岚做报表")


def test_terms_are_bounded() -> None:
    names = " and ".join(f"Captain Aa{chr(97 + n % 26)}{chr(97 + n // 26)} Smith" for n in range(300))
    assert len(terms_of(names)) == 24


KNOWN = {"agra", "agra fort", "年假", "年假制度", "su7"}
FIRSTS = {first_unit(key) for key in KNOWN}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("They saw the Agra Fort, then Agra.", ["agra fort", "agra"]),
        ("员工按年假制度休年假。", ["年假制度", "年假"]),
        ("小米SU7汽车", ["su7"]),
        ("agraforte", []),
        ("", []),
    ],
)
def test_mentions_are_the_longest_known_names(text: str, found: list[str]) -> None:
    assert list(mentions(text, KNOWN, FIRSTS)) == found


@pytest.mark.parametrize(
    "text", ["\x00\ud800", "🙂" * 50, "(" * 5000, "A" * 20_000, "known as " * 3000, "《" * 4000]
)
def test_odd_texts_do_no_harm(text: str) -> None:
    text_titles(text, markdown=True)
    terms_of(text, text[:100])
    assert all(text[unit.start : unit.end] for unit in units(text))

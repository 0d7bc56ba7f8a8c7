from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.errors import ConfigError, Refused
from pipelines.page.config_edit import save
from pipelines.page.config_view import built_with, explain_view, file_text, yaml_view
from pipelines.page.masking import masked
from tests.support.house import House

ROOT = Path(__file__).resolve().parents[2]
TEXT = """\
# The handbook
storage: storage
loaders:
  files: {type: folder, path: docs}  # the documents
embed_model: {type: fake}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "handbook.yaml"
    path.write_text(TEXT, encoding="utf-8")
    (tmp_path / "docs").mkdir()
    return path


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


# the view


def test_the_configs_that_come_with_it_hold_no_secret() -> None:
    for path in sorted((ROOT / "config").glob("*.yaml")):
        assert file_text(path).secrets == ()
        assert file_text(path).text == path.read_text(encoding="utf-8")


def test_a_config_and_what_it_extends_are_shown(file: Path) -> None:
    over = file.with_name("over.yaml")
    over.write_text("extends: handbook.yaml\nllm: {type: openai, model: m, api_key: hunter2}\n")
    view = yaml_view(over, "en")
    assert [each.path.name for each in view.files] == ["over.yaml", "handbook.yaml"]
    assert view.files[0].text == "extends: handbook.yaml\nllm: {type: openai, model: m, api_key: ******}\n"
    assert view.files[1].text == TEXT
    assert view.problems.rows == []


def test_problems_stand_at_their_places(file: Path) -> None:
    file.write_text(
        TEXT + "retreivers: {}\nllm: {type: openai, model: 3, api_key: hunter2}\n", encoding="utf-8"
    )
    view = yaml_view(file, "zh")
    assert view.problems.head == ["文件", "行", "列", "键", "问题"]
    assert [row[:4] for row in view.problems.rows] == [
        ["handbook.yaml", "6", "1", "retreivers"],
        ["handbook.yaml", "7", "28", "llm.model"],
    ]
    assert "did you mean" in view.problems.rows[0][4]
    assert "hunter2" not in str(view)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"- a\n", b"a: [", b"a: &x [*x]", b"x" * 1_100_000, b"a: \x00"]
)
def test_what_is_no_config_is_shown_with_what_is_wrong(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    view = yaml_view(file, "en")
    assert len(view.files) == 1
    assert view.problems.rows


def test_a_bomb_of_aliases_is_refused_at_once(file: Path) -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12))
    file.write_text(bomb)
    assert "values" in yaml_view(file, "en").problems.rows[0][4]


def test_only_yaml_is_shown(file: Path, tmp_path: Path) -> None:
    (tmp_path / "passwd").write_text("root: x\n")
    file.write_text("extends: passwd\n" + TEXT)
    assert [each.path for each in yaml_view(file, "en").files] == [file]
    file.write_text("extends: handbook.yaml\n" + TEXT)
    view = yaml_view(file, "en")
    assert (len(view.files), "loop" in view.problems.rows[0][4]) == (1, True)


def test_explain_tells_where_a_value_comes_from(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_KEY", "hunter2")
    monkeypatch.setenv("LLM_HOST", "https://joe:hunter2@host/v1")
    file.write_text(
        TEXT + 'llm: {type: openai_like, model: m, base_url: "${LLM_HOST}", api_key: "${LLM_KEY}"}\n',
        encoding="utf-8",
    )
    config = load_config(file)
    table = explain_view(config, "", "en")
    assert ["loaders.files.path", "docs", "handbook.yaml:4"] in table.rows
    assert ["llm.api_key", "******", "handbook.yaml:6"] in table.rows
    assert "hunter2" not in str(table)
    found = explain_view(config, " Chunk_Size", "zh")
    assert found.rows == [["node_parser.chunk_size", "256", "默认值"]]
    assert explain_view(config, "no such thing", "en").rows == []


# what the index was built with


def built(house: House) -> tuple[list[list[str]], tuple[str, ...]]:
    catalog = house.catalog()
    try:
        found = built_with(house.config, catalog, "en")
    finally:
        catalog.close()
    return found.differences.rows, found.would_do


def test_the_difference_to_what_was_built(house: House) -> None:
    never = built_with(house.config, None, "zh")
    assert never.differences.rows == []
    assert never.would_do[0].startswith("尚未入库")
    house.fill(3)
    house.ingest()
    assert built(house) == (
        [],
        (
            "The index was built as the config says. Rerunning only looks for new, changed and vanished documents.",
        ),
    )
    house.edit(node_parser={"type": "sentence", "chunk_size": 32, "chunk_overlap": 0})
    rows, said = built(house)
    assert rows == []
    assert "node_parser was edited: 3 documents are cut again" in said[0]
    house.edit(keyword={"dictionary": ["年假"]})
    rows, said = built(house)
    assert rows == [["keyword.dictionary", "[]", "[年假]"]]
    assert "a second index of 3 documents" in said[0]
    house.ingest()
    assert built(house)[0] == []
    house.edit(keyword={"dictionary": []})
    assert "still there" in built(house)[1][0]


def test_loaders_that_changed_came_and_went(house: House) -> None:
    house.fill(2)
    house.ingest()
    (house.root / "more").mkdir()
    house.edit(loaders={"files": {"type": "folder", "path": "docs", "encoding": "utf-8"}})
    assert "2 documents are read again" in " ".join(built(house)[1])
    house.edit(loaders={"more": {"type": "folder", "path": "more"}})
    said = " ".join(built(house)[1])
    assert "files is no loader any more: its 2 documents leave the index" in said
    assert "more has no document in the index yet" in said


# saving


def save_edit(file: Path, text: str) -> str:
    return save(file, text, "en", file_text(file).seen)


def test_an_edit_is_saved_whole_with_its_comments_and_mode(file: Path) -> None:
    file.chmod(0o640)
    edited = TEXT.replace("fake}", "fake}  # for tests").replace("\n", "\r\n")
    seen = save_edit(file, edited)
    assert file.read_text() == edited.replace("\r\n", "\n")
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert sorted(path.name for path in file.parent.iterdir()) == ["docs", "handbook.yaml"]
    assert seen == file_text(file).seen
    save(file, TEXT, "en", seen)
    assert file.read_text() == TEXT


def test_line_ends_stay_as_they_were(file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    save_edit(file, TEXT + "description: new")
    assert file.read_bytes() == (TEXT + "description: new\n").replace("\n", "\r\n").encode()


def test_an_invalid_edit_is_refused_with_its_places(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        save_edit(file, TEXT.replace("type: fake", "type: fakes") + "extends: nowhere.yaml\n")
    problems = caught.value.problems
    assert {problem.file for problem in problems} == {str(file)}
    assert [problem.line for problem in problems] == [5, 6]
    assert ".tmp" not in str(caught.value)
    assert file.read_text() == TEXT
    assert sorted(path.name for path in file.parent.iterdir()) == ["docs", "handbook.yaml"]


def test_what_it_extends_is_found_and_a_loop_is_refused(file: Path) -> None:
    (file.parent / "base").mkdir()
    base = file.parent / "base" / "base.yaml"
    base.write_text(TEXT)
    save_edit(file, "extends: base/base.yaml\ndescription: over\n")
    assert load_config(file).resolve("storage") == base.parent / "storage"
    for loop in ("extends: handbook.yaml\n", "extends: base/../handbook.yaml\n"):
        with pytest.raises(ConfigError, match="loop"):
            save_edit(file, loop + TEXT)
    shutil.copy(file, base)
    base.write_text("extends: ../handbook.yaml\n")
    file.write_text(TEXT)
    with pytest.raises(ConfigError, match="loop"):
        save_edit(file, "extends: base/base.yaml\n" + TEXT)
    assert file.read_text() == TEXT


def test_someone_elses_edit_is_not_overwritten(file: Path) -> None:
    seen = file_text(file).seen
    file.write_text(TEXT + "description: theirs\n")
    with pytest.raises(Refused, match="changed by someone else"):
        save(file, TEXT, "en", seen)
    assert "theirs" in file.read_text()
    file.unlink()
    with pytest.raises(Refused, match="已不存在"):
        save(file, TEXT, "zh", seen)
    assert not file.exists()


def test_secrets_are_never_saved_nor_overwritten(file: Path) -> None:
    secret = TEXT + "llm: {type: openai, model: m, api_key: hunter2}\n"
    with pytest.raises(ConfigError) as caught:
        save_edit(file, secret)
    assert caught.value.problems[0].line == 6
    assert "environment variable" in str(caught.value) and "hunter2" not in str(caught.value)
    file.write_text(secret)
    with pytest.raises(ConfigError):
        save_edit(file, masked(secret)[0])
    assert file.read_text() == secret


@pytest.mark.parametrize("text", ["a" * 1_100_000, "年" * 500_000, "\ud800", "a: \x00", ""])
def test_texts_that_no_config_can_be_are_refused(file: Path, text: str) -> None:
    with pytest.raises((Refused, ConfigError)):
        save_edit(file, text)
    assert file.read_text() == TEXT


def test_a_link_is_left_alone(file: Path) -> None:
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    with pytest.raises(Refused, match="link"):
        save_edit(link, TEXT)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_told(file: Path) -> None:
    file.parent.chmod(0o555)
    try:
        with pytest.raises(Refused, match="can't be written"):
            save_edit(file, TEXT)
    finally:
        file.parent.chmod(0o755)

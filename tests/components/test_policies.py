from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.config import load_config
from pipelines.errors import ConfigError
from tests.support.house import House


@pytest.mark.parametrize("policy", ["fallback", "open"])
def test_a_policy_that_needs_a_model_is_an_error_at_its_line(tmp_path: Path, policy: str) -> None:
    house = House(tmp_path, {"query_engines": {"answer": {"retriever": "both", "policy": {"type": policy}}}})
    with pytest.raises(ConfigError) as caught:
        load_config(house.file)
    (problem,) = caught.value.problems
    assert problem.line == 1 + house.file.read_text().split("\n").index(f"      type: {policy}")
    assert problem.message == f"'{policy}' needs a model: add `llm:`, or use 'strict'"


def test_an_unknown_policy_and_a_schema_that_is_none(tmp_path: Path) -> None:
    engine = {
        "retriever": "both",
        "policy": {"type": "lax"},
        "response": {"type": "structured", "schema": {"type": "array"}},
    }
    house = House(tmp_path, {"query_engines": {"answer": engine}})
    with pytest.raises(ConfigError) as caught:
        load_config(house.file)
    said = str(caught.value)
    assert "policy" in said and "a schema must be of an object" in said

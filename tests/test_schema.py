"""The schema by itself: specs made in Python keep the same rules as config files."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.references import completed, misreferences, suggestion
from pipelines.schema import NEED_LLM, PipelineSpec, QueryEngineSpec
from pipelines.shape import annotation_at, chosen, fields, is_spec, members, type_of

MINIMAL: dict[str, Any] = {"storage": "st", "loaders": {"files": {"type": "folder", "path": "docs"}}}


def test_references_are_checked_in_python_too() -> None:
    with pytest.raises(ValidationError, match="there is no retriever 'bth' \\(did you mean 'both'\\?\\)"):
        PipelineSpec(**MINIMAL, query_engines={"answer": QueryEngineSpec(retriever="bth")})


def test_an_invalid_spec_shows_no_input() -> None:
    with pytest.raises(ValidationError) as error:
        PipelineSpec(**MINIMAL, catalog=["postgresql://u:hunter2@h/d"])
    assert "hunter2" not in str(error.value)


def test_nothing_changes_after_loading() -> None:
    spec = PipelineSpec(**MINIMAL)
    with pytest.raises(ValidationError):
        spec.storage = "other"


def test_every_type_is_unlike_its_siblings_and_documented() -> None:
    for family in PipelineSpec.model_fields.values():
        for part in members(family.annotation):
            parts = [inner for one in (part, *getattr(part, "__args__", ())) for inner in members(one)]
            specs = [spec for spec in parts if is_spec(spec)]
            types = [type_of(spec) for spec in specs]
            assert len(types) == len(set(types))
            for spec in specs:
                assert spec.__doc__
                assert [
                    name for name, field in fields(spec).items() if not field.description and name != "type"
                ] == []


def test_responses_that_need_an_llm() -> None:
    assert "compact" in NEED_LLM
    assert "extractive" not in NEED_LLM


def test_loops_are_found_once_each() -> None:
    retrievers = {"a": {"of": ["b"]}, "b": {"of": ["a", "c"]}, "c": {"of": ["c"]}, "d": {"of": ["a"]}}
    found = list(misreferences({"loaders": {"a": {}}, "retrievers": retrievers}, need_llm=NEED_LLM))
    assert found == [
        (("retrievers", "b", "of", 0), "a loop: a → b → a"),
        (("retrievers", "c", "of", 0), "a loop: c → c"),
    ]


@pytest.mark.parametrize(
    "data", [{}, {"retrievers": 1}, {"query_engines": [1]}, {"retrievers": {"a": {"of": 1}}}]
)
def test_references_of_anything(data: dict[str, Any]) -> None:
    for full in (data, completed(data)):
        assert isinstance(list(misreferences(full, need_llm=NEED_LLM)), list)


def test_suggestions() -> None:
    assert suggestion("Storage", ["storage", "llm"]) == " (did you mean 'storage'?)"
    assert suggestion("x", ["storage", "llm"]) == " (known: storage, llm)"
    assert suggestion("x", []) == ""


def test_the_schema_of_a_part() -> None:
    data = {"loaders": {"a": {"type": "folder"}, "b": {"type": "nope"}}, "query_engines": {"q": {}}}
    assert (
        type_of(chosen(annotation_at(PipelineSpec, ("loaders", "a"), data), {"type": "folder"})) == "folder"
    )
    assert chosen(annotation_at(PipelineSpec, ("loaders", "b"), data), {"type": "nope"}) is None
    assert annotation_at(PipelineSpec, ("loaders", "a", "path"), data) is str
    assert annotation_at(PipelineSpec, ("loaders", "a", "path", "x"), data) is None
    assert annotation_at(PipelineSpec, ("nothing", "below"), data) is None
    assert annotation_at(PipelineSpec, ("query_engines", "q", "retriever"), data) is str

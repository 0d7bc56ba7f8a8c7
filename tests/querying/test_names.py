"""Fates and stages in both languages."""

from __future__ import annotations

from typing import get_args

from pipelines.components.postprocessors import Postprocessor
from pipelines.querying.names import FATES, fate, stage
from pipelines.querying.trace import BELOW_TOP_K, CITED, IN_CONTEXT


def test_every_fate_has_a_chinese_name() -> None:
    union, _ = get_args(Postprocessor)
    dropped = {getattr(step, "fate", None) for step in get_args(union)} - {None}
    assert {*dropped, IN_CONTEXT, CITED, BELOW_TOP_K} <= FATES.keys()


def test_names() -> None:
    assert fate("cited", "zh") == "已引用"
    assert fate("cited", "en") == "cited"
    assert stage("write", "zh") == "写回答"
    assert stage("my retriever", "zh") == "my retriever"

"""What a trace speaks of, in a person's language: the fates of passages, the stages of an answer."""

from __future__ import annotations

FATES = {
    "cited": "已引用",
    "in context": "供回答参考",
    "below top_k": "超出 top_k",
    "below cutoff": "低于阈值",
    "no evidence": "不足为据",
    "over budget": "超出预算",
    "over context window": "超出上下文窗口",
    "duplicate": "重复",
    "dropped by postprocessor": "被后处理去掉",
    "reranked low": "重排靠后",
    "no sentence bears on it": "没有相关的句子",
    "too similar": "与更好的过于相似",
    "merged": "并入相邻段落",
}
STAGES = {
    "embed question": "嵌入问题",
    "write": "写回答",
    "choose": "选择文档",
    "check citations": "核对引用",
}


def fate(name: str, language: str) -> str:
    """What became of a candidate."""
    return FATES.get(name, name) if language == "zh" else name


def stage(name: str, language: str) -> str:
    """A stage of an answer; retrievers and other parts of a config keep their names."""
    return STAGES.get(name, name) if language == "zh" else name

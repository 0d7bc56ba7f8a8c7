"""Documents in both languages, small enough to know by heart."""

from __future__ import annotations

from typing import Any

from tests.support.files import pdf

CAFETERIA = """# Cafeteria

The cafeteria opens at eight and closes at three. Lunch is served from noon. On Fridays there is soup.

# Front desk

Badges are issued by the front desk on the ground floor. A lost badge costs ten euros. Visitors sign a list.
"""
TRAVEL = """# Travel expenses

Train tickets of the second class are paid in full. A hotel may cost 120 euros a night at most.

# Receipts

Receipts are handed in within thirty days. Without a receipt nothing is paid back.
"""
LEAVE = """# 年假

工作满一年的员工每年有五天年假，满十年的有十天。年假要提前两周申请。

# 病假

生病的员工要在当天上午九点前通知主管。病假超过三天需要医院证明。
"""
SUBWAY = """# 北京地铁

北京地铁有二十七条线路。末班车在晚上十一点半左右发车。单程票价从三元起。

# 上海地铁

上海地铁有二十条线路。乘客可以用手机扫码进站。
"""
FIRE = [
    ["# Fire drill", "", "The fire drill takes place every spring.", "All leave the house by the stairs."],
    [
        "# Assembly point",
        "",
        "The assembly point is the car park behind building seven.",
        "Nobody takes the lift.",
    ],
]

FILES: dict[str, str | bytes] = {
    "cafeteria.md": CAFETERIA,
    "travel.md": TRAVEL,
    "年假.md": LEAVE,
    "地铁.md": SUBWAY,
    "fire.pdf": pdf(FIRE),
}

WORDS: dict[str, Any] = {"words": {"type": "keyword", "top_k": 5}}
BOTH: dict[str, Any] = {
    "meaning": {"type": "vector", "top_k": 8},
    "words": {"type": "keyword", "top_k": 8},
    "both": {"type": "fusion", "of": ["meaning", "words"], "top_k": 4},
}
EVIDENCE: list[Any] = [{"type": "evidence"}]

REAL: dict[str, Any] = {
    "embed_model": {"type": "local"},
    "retrievers": BOTH,
    "query_engines": {
        "answer": {"retriever": "both", "postprocessors": EVIDENCE, "response": {"type": "extractive"}},
        "by_words": {"retriever": "words", "response": {"type": "extractive"}},
    },
}
"""Settings of a knowledge base that answers rightly, without an LLM."""


def written(url: str, **engine: Any) -> dict[str, Any]:
    """Settings of a knowledge base whose answers an LLM writes."""
    return {
        "embed_model": {"type": "local"},
        "retrievers": BOTH,
        "llm": {
            "type": "openai_like",
            "model": "m",
            "base_url": url,
            "api_key": "none",
            "context_window": 4096,
        },
        "query_engines": {"answer": {"retriever": "both", "response": {"type": "compact"}, **engine}},
    }

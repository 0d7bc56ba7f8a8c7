"""Citations after an ingestion that did not touch their document."""

from __future__ import annotations

from pathlib import Path

from pipelines.querying.answer import Citation
from pipelines.querying.knowledge_base import KnowledgeBase
from tests.support.chat_server import chat_server
from tests.support.house import House

LEAVE = "# Leave\n\nStaff get 15 days of annual leave a year.\n\n## 申请\n\n年假须提前两周申请。\n"
WRITTEN = "Staff get 15 days of annual leave a year [1]. 年假须提前两周申请 [1]."


def cited(house: House) -> tuple[Citation, ...]:
    with KnowledgeBase(house.config) as base:
        return base.ask("How many days of annual leave do staff get, and 年假 怎么申请?").citations


def test_they_stay_the_same(tmp_path: Path) -> None:
    house = House(tmp_path, {"embed_model": {"type": "local"}})
    house.write("leave.md", LEAVE)
    house.write("cats.md", "# Cats\n\nCats sleep a lot.\n")
    house.ingest()
    with chat_server(WRITTEN) as server:
        llm = {"type": "openai_like", "base_url": server.url, "model": "small"}
        house.edit(llm=llm, query_engines={"answer": {"retriever": "both", "response": {"type": "compact"}}})
        before = cited(house)
        house.write("new.md", "# New\n\nStaff badges are new this year.\n")
        house.write("cats.md", "# Cats\n\nCats sleep up to sixteen hours a day of the year.\n")
        assert house.ingest().outcome == "done"
        after = cited(house)
    assert [(each.number, each.quote) for each in before] == [
        (1, "Staff get 15 days of annual leave a year."),
        (2, "年假须提前两周申请。"),
    ]
    assert after == before
    assert all(LEAVE[each.start : each.end] == each.quote for each in after)

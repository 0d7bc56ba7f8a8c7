"""Documents for which questions are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelines.documents import Document
from pipelines.evaluation.making.chunks import Chunk, Source, source_of
from pipelines.text.language import language_of
from tests.support.house import House

HANDBOOK = """# Staff handbook

Staff get 15 days of annual leave a year. Leave must be booked two weeks ahead with the line manager. The cafeteria
opens at eight. Badges are issued by the front desk. Employees must submit expense reports within 30 days of travel.
A parking permit costs 20 euros a month. A visitor badge is valid for one day. The warranty lasts 24 months.

It was founded in 1998. They have five offices. This is a good reason. The result is a surprise.

## How to book a meeting room

Open the calendar and choose a free room. The room is held for ten minutes.

## Remarks

There is nothing else to say about meeting rooms in this building.

| City | Daily allowance | Notes |
|---|---|---|
| Berlin | 40 EUR | none |
| Shanghai | 45 EUR | none |
"""

MANUAL = """# 员工手册

员工每年享有15天年假。年假要提前两周申请。报销单须由部门经理审批。员工应在出差结束后30天内提交报销单。
食堂每天早上八点开门。停车证有效期为一年。试用期为三个月。

他们在1998年成立。这是一个好理由。其中有五个办公室。

## 如何预订会议室

打开日历，选一个空闲的会议室。会议室保留十分钟。

| 城市 | 住宿标准 | 备注 |
|---|---|---|
| 北京 | 500元 | 无 |
| 上海 | 550元 | 无 |
"""

CASTLE = (
    "Neuhaus Castle (built 1350) is a moated castle near the river Alm. "
    "Neuhaus Castle was restored in 1907. Neuhaus Castle is located in the valley of the Alm."
)
POET = "沈砚（1802年－1871年）是清代诗人。沈砚出生于浙江绍兴，《南山集》由沈砚编写。"


def source(text: str, path: str = "handbook.md", *, markdown: bool = True, kind: str = "markdown") -> Source:
    """A document that is one chunk."""
    chunk = Chunk("n1", text, 0, "", "", language_of(text))
    return source_of(path, Document(text=text, format=kind, markdown=markdown), (chunk,))


def library(root: Path, **settings: Any) -> House:
    """Several documents in both languages, ingested."""
    house = House(
        root, {"node_parser": {"type": "sentence", "chunk_size": 200, "chunk_overlap": 20}, **settings}
    )
    house.write("handbook.md", HANDBOOK)
    house.write("手册.md", MANUAL)
    house.write("Neuhaus Castle.txt", CASTLE)
    house.write("沈砚.txt", POET)
    assert house.ingest().outcome == "done"
    return house

"""A small corpus in two languages, as documents that are ready to be indexed."""

from __future__ import annotations

from pipelines.documents import Document

TEXTS = {
    "leave.md": (
        "# Handbook\n\n## Annual leave\n\nStaff get 15 days of annual leave a year. Leave must be booked two weeks "
        "ahead with the line manager. Unused leave is lost on 31 March of the next year.\n"
    ),
    "年假.md": (
        "# 员工手册\n\n## 年假\n\n员工入职满一年可享受十五天年假。年假须提前两周向直属主管申请。"
        "未休年假于次年三月三十一日清零。\n"
    ),
    "parts.md": (
        "# Price list\n\n| part | name | price |\n| --- | --- | --- |\n| R123-78 | valve | 12.50 |\n"
        "| R123-79 | gasket | 3.20 |\n| Q9 | bolt | 0.40 |\n"
    ),
    "travel.md": (
        "# Travel\n\nTrips abroad are approved by the head of department. Receipts are handed in within thirty days. "
        "The daily allowance is 40 euros.\n"
    ),
    "报销.md": ("# 差旅报销\n\n出差须由部门负责人批准。发票应在三十天内提交财务部。住宿标准为每晚四百元。\n"),
    "cats.md": "# Cats\n\nCats sleep up to sixteen hours a day. They purr when they are content.\n",
}

DOCUMENTS = {path: Document(text=text, format="markdown", markdown=True) for path, text in TEXTS.items()}

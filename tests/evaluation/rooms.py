"""A house of rooms and a set of questions about it, for commands that measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipelines.evaluation.questions import Evidence, Question, write_questions
from tests.support.house import EN, House

ROOMS = 6


def rooms(root: Path) -> House:
    """Six documents, ingested."""
    house = House(root)
    for number in range(ROOMS):
        house.write(f"doc{number}.md", f"# Room {number}\n\nRoom {number} seats {number + 10} people. {EN}\n")
    house.ingest()
    return house


def answerable(count: int) -> list[Question]:
    """Questions about the rooms, each with its words in the documents; half are of the split `test`."""
    return [
        Question(
            f"q{number}",
            f"How many people does room {room} seat, asked {number}?",
            answers=(f"{room + 10} people",),
            documents=(f"doc{room}.md",),
            language="en",
            split="test" if number % 2 else "train",
            evidence=(Evidence(f"doc{room}.md", f"Room {room} seats {room + 10} people."),),
        )
        for number in range(count)
        for room in [number % ROOMS]
    ]


def asked(count: int) -> list[Question]:
    """The same, where every sixth has no answer."""
    found = answerable(count)
    for number in range(5, count, ROOMS):
        text, split = f"Who painted the ceiling of the chapel, asked {number}?", found[number].split
        found[number] = Question(f"q{number}", text, answerable=False, language="en", split=split)
    return found


def a_set(house: House, count: int = 12, name: str = "q.jsonl") -> Path:
    """A question set on disk."""
    write_questions(house.root / name, asked(count))
    return house.root / name


def written(house: House, name: str, **settings: Any) -> Path:
    """Another config beside the house's, which it builds on unless it has a storage of its own."""
    whole = settings if "storage" in settings else {"extends": "config.yaml", **settings}
    file = house.root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(yaml.safe_dump(whole, allow_unicode=True), encoding="utf-8")
    return file


def chat_model(url: str, model: str = "m", **more: Any) -> dict[str, Any]:
    """A language model behind a scripted server."""
    return {"type": "openai_like", "model": model, "base_url": url, "api_key": "k", "retries": 0, **more}

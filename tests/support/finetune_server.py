"""A server on loopback that speaks OpenAI's fine-tuning API and keeps its states.

A job goes validating_files → queued → running → succeeded; it may be cancelled before its end, and fails where its
files are wrong. `advance` moves it; nothing moves by itself.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.loopback import Handler, Server

LEAST = 10
NEXT = {"validating_files": "queued", "queued": "running", "running": "succeeded"}
FINAL = {"succeeded", "failed", "cancelled"}
MODELS = {"gpt-4o-mini-2024-07-18", "gpt-3.5-turbo-0125"}


@dataclass
class Faults:
    """What goes wrong; everything is off at first."""

    key: str = ""
    """The only key that is taken; another gets 401 and is echoed back, as OpenAI does."""
    without: bool = False
    """There is no fine-tuning here: 404 for everything."""
    lose_jobs: bool = False
    """Jobs are created, then 500 is answered."""
    html: bool = False
    """A page of HTML with status 200."""
    busy: int = 0
    """This many first requests get 429."""


@dataclass
class FineTuneServer(Server):
    """The server; `url` is what a config takes as base_url."""

    faults: Faults = field(default_factory=Faults)
    files: dict[str, tuple[str, str, bytes]] = field(default_factory=dict)
    """By id: purpose, name, content."""
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    events: dict[str, list[str]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    """Of the requests that create a job."""

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.start(_Handler)

    def examples(self, file: str) -> list[dict[str, Any]]:
        """The examples of an uploaded file."""
        return [json.loads(line) for line in self.files[file][2].splitlines()]

    def advance(self, job: str) -> str:
        """Move a job one state on; the state that it is in then."""
        held = self.jobs[job]
        assert held["status"] not in FINAL, f"{held['status']} is an end"
        if held["status"] == "validating_files" and (wrong := self._wrong(held)):
            return self._move(held, "failed", wrong)
        if held["status"] == "running":
            epochs = held["hyperparameters"]["n_epochs"]
            held["trained_tokens"] = 100 * len(self.examples(held["training_file"])) * epochs
            suffix = held["user_provided_suffix"] or ""
            held["fine_tuned_model"] = f"ft:{held['model']}:acme:{suffix}:{job[-4:]}"
        return self._move(held, NEXT[held["status"]], "")

    def _wrong(self, held: dict[str, Any]) -> str:
        """What OpenAI finds wrong in files while it validates them."""
        for name in filter(None, (held["training_file"], held["validation_file"])):
            try:
                examples = self.examples(name)
                ends = [example["messages"][-1]["role"] for example in examples]
            except (ValueError, KeyError, IndexError, TypeError):
                return f"Invalid file format. Input file {name} is in the prompt-completion format."
            if any(end != "assistant" for end in ends):
                return f"The last message of an example in {name} is not from the assistant."
        if len(self.examples(held["training_file"])) < LEAST:
            return f"Training file has fewer than {LEAST} examples."
        return ""

    def _move(self, held: dict[str, Any], status: str, wrong: str) -> str:
        held["status"] = status
        held["error"] = (
            {"code": "invalid_training_file", "param": "training_file", "message": wrong} if wrong else {}
        )
        held["finished_at"] = 1_760_000_100 if status in FINAL else None
        self.events[held["id"]].insert(0, wrong or f"Job is now {status}")
        return status

    def create(self, asked: dict[str, Any]) -> tuple[int, Any]:
        """Answer a request for a job."""
        self.bodies.append(asked)
        if asked.get("model") not in MODELS and not str(asked.get("model")).startswith("ft:"):
            return _error(
                400, f"Model {asked.get('model')} is not available for fine-tuning", "model_not_available"
            )
        for name in ("training_file", "validation_file"):
            file = asked.get(name)
            if (name == "training_file" or file) and file not in self.files:
                return _error(400, f"invalid {name}: {file}")
            if file and self.files[file][0] != "fine-tune":
                return _error(400, f"{file}: its purpose must be fine-tune")
        if len(asked.get("suffix") or "") > 64:
            return _error(400, "suffix is too long")
        number = len(self.jobs) + 1
        method = (asked.get("method") or {}).get("supervised", {}).get("hyperparameters", {})
        epochs = (asked.get("hyperparameters") or method).get("n_epochs", 3)
        job = {
            "object": "fine_tuning.job",
            "id": f"ftjob-{number:04}",
            "model": asked["model"],
            "created_at": 1_760_000_000 + number,
            "finished_at": None,
            "fine_tuned_model": None,
            "organization_id": "org-1",
            "result_files": [],
            "status": "validating_files",
            "validation_file": asked.get("validation_file"),
            "training_file": asked["training_file"],
            "hyperparameters": {"n_epochs": epochs},
            "trained_tokens": None,
            "seed": 1,
            "error": {},
            "user_provided_suffix": asked.get("suffix"),
        }
        self.jobs[str(job["id"])] = job
        self.events[str(job["id"])] = [f"Created fine-tuning job: {job['id']}"]
        return (
            (500, {"error": {"message": "The server had an error"}}) if self.faults.lose_jobs else (200, job)
        )

    def cancel(self, job: str) -> tuple[int, Any]:
        """Answer a request to cancel."""
        held = self.jobs[job]
        if held["status"] in FINAL:
            return _error(400, f"Job has already completed: {held['status']}", "invalid_job_state")
        self._move(held, "cancelled", "")
        return 200, held


def _error(status: int, message: str, code: str | None = None) -> tuple[int, Any]:
    return status, {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    }


class _Handler(Handler):
    house: FineTuneServer
    do_GET = Handler.do_POST  # noqa: N815

    def answer(self) -> None:
        house, method, body = self.house, self.command, self.body()
        path = urlsplit(self.path).path.removeprefix("/v1")
        with house.lock:
            house.requests.append((method, path))
            given = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            if house.faults.key and given != house.faults.key:
                status, answer = _error(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
            elif len(house.requests) <= house.faults.busy:
                status, answer = _error(429, "Rate limit reached")
            elif house.faults.without:
                status, answer = _error(404, f"Invalid URL ({method} {self.path})")
            elif house.faults.html:
                return self.send(200, b"<html>Welcome</html>", "text/html")
            else:
                status, answer = self._route(method, path, body)
            return self.send(status, json.dumps(answer).encode())

    def _route(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        house, parts = self.house, path.strip("/").split("/")
        if (method, parts) == ("POST", ["files"]):
            return self._upload(body)
        if parts[:2] != ["fine_tuning", "jobs"]:
            return _error(404, f"Invalid URL ({method} {self.path})")
        if len(parts) == 2 and method == "POST":
            return house.create(json.loads(body))
        if len(parts) == 2:
            return 200, {"object": "list", "data": [*house.jobs.values()][::-1], "has_more": False}
        if parts[2] not in house.jobs:
            return _error(404, f"Could not find fine tune: {parts[2]}", "fine_tune_not_found")
        if (method, parts[3:]) == ("POST", ["cancel"]):
            return house.cancel(parts[2])
        if (method, parts[3:]) == ("GET", ["events"]):
            return 200, self._events(parts[2])
        return 200, house.jobs[parts[2]]

    def _events(self, job: str) -> dict[str, Any]:
        limit = int(parse_qs(urlsplit(self.path).query).get("limit", ["20"])[0])
        data = [
            {
                "object": "fine_tuning.job.event",
                "id": f"ev-{number}",
                "created_at": 1_760_000_000 + number,
                "level": "info",
                "message": message,
            }
            for number, message in enumerate(reversed(self.house.events[job]))
        ][::-1]
        return {"object": "list", "data": data[:limit], "has_more": len(data) > limit}

    def _upload(self, body: bytes) -> tuple[int, Any]:
        parts = self.form(body)
        if not {"file", "purpose"} <= parts.keys():
            return _error(400, "file and purpose are required")
        content = parts["file"].get_payload(decode=True)
        name, purpose = parts["file"].get_filename(), parts["purpose"].get_payload(decode=True).decode()
        if not str(name).endswith(".jsonl"):
            return _error(400, "Invalid file format for Fine-Tuning API. Must be .jsonl")
        key = f"file-{len(self.house.files) + 1}"
        self.house.files[key] = (purpose, str(name), content)
        return 200, {
            "id": key,
            "object": "file",
            "bytes": len(content),
            "created_at": 1_760_000_000,
            "filename": name,
            "purpose": purpose,
            "status": "processed",
        }

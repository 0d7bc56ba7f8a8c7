"""A server on loopback that speaks DashScope's OpenAI-compatible file interface and answers as Qwen-Long does.

A file is `uploaded` first and `processed` after it was looked at a few times. A chat names files in its second system
message; one that is not there, or not processed yet, is refused with the messages of the real endpoint.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import Any

from tests.support.loopback import Handler, Server

KEY = "sk-0123456789abcdef"
ENDINGS = (".txt", ".md", ".docx", ".pdf", ".xlsx", ".epub", ".mobi", ".csv", ".json")


@dataclass
class File:
    """What was uploaded."""

    name: str
    content: str
    looks: int
    """Looks that it takes until the file is processed."""
    status: str = "uploaded"


@dataclass
class QwenLongServer(Server):
    """The server; `url` is what a config takes as base_url."""

    replies: list[str] = field(default_factory=lambda: ["NO_ANSWER"])
    """What is said, the last one for ever."""
    looks: int = 2
    ending: str = "processed"
    """The state that a file comes to."""
    without: int = 0
    """The status for every request to /files, where there are no files here."""
    html: bool = False
    """A page of HTML for every request to /files."""
    files: dict[str, File] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    chats: list[dict[str, Any]] = field(default_factory=list)
    uploads: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.start(_Handler, "/compatible-mode/v1")

    def named(self, chat: int = -1) -> list[str]:
        """The files that a chat named."""
        said = self.chats[chat]["messages"][1]["content"]
        return [each.removeprefix("fileid://") for each in said.split(",")]

    def retrieve(self, key: str) -> tuple[int, Any]:
        """Answer a look at a file."""
        file = self.files[key]
        file.looks -= 1
        if file.looks <= 0:
            file.status = self.ending
        return 200, told(key, file)

    def problem(self, messages: list[dict[str, str]]) -> str:
        """Why a chat is refused; empty where it is not."""
        roles = [message["role"] for message in messages]
        if roles != ["system", "system", "user"] or messages[0]["content"].startswith("fileid://"):
            return "Role must be user or assistant and Content length must be greater than 0"
        for key in self.named():
            if key not in self.files:
                return f"Invalid file [id:{key}]."
            if self.files[key].status != "processed":
                return "File parsing in progress, please try again later."
        return ""


def told(key: str, file: File) -> dict[str, Any]:
    """A file as the endpoint tells it."""
    return {
        "id": key,
        "object": "file",
        "bytes": len(file.content),
        "created_at": 1_760_000_000,
        "filename": file.name,
        "purpose": "file-extract",
        "status": file.status,
        "status_details": None,
    }


def refusal(status: int, message: str, code: str = "invalid_parameter_error") -> tuple[int, Any]:
    """An error as the endpoint words it."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return status, {"error": error, "request_id": "1"}


class _Handler(Handler):
    house: QwenLongServer
    do_GET = do_DELETE = Handler.do_POST  # noqa: N815

    def answer(self) -> None:
        house, method, body = self.house, self.command, self.body()
        path = self.path.removeprefix("/compatible-mode/v1").strip("/").split("/")
        with house.lock:
            house.requests.append((method, path[0]))
            given = (self.headers["Authorization"] or "").removeprefix("Bearer ")
            if given != KEY:
                answer = refusal(401, f"Incorrect API key provided: {given}.", "invalid_api_key")
            elif path == ["chat", "completions"]:
                return self._chat(json.loads(body))
            elif house.html:
                return self.send(200, b"<html>Welcome</html>", "text/html")
            elif house.without:
                answer = refusal(house.without, f"Invalid URL ({method} {self.path})")
            elif method == "POST" and path == ["files"]:
                answer = self._upload(body)
            elif path[1:] and path[1] not in house.files:
                answer = refusal(404, f"No such File object: {path[1]}", "not_found")
            elif method == "DELETE":
                del house.files[path[1]]
                answer = 200, {"id": path[1], "object": "file", "deleted": True}
            else:
                answer = house.retrieve(path[1])
            return self.send(answer[0], json.dumps(answer[1]).encode())

    def _upload(self, body: bytes) -> tuple[int, Any]:
        house = self.house
        parts = self.form(body)
        if parts["purpose"].get_payload(decode=True) != b"file-extract":
            return refusal(400, "'purpose' must be file-extract or batch")
        name = str(parts["file"].get_filename())
        if not name.endswith(ENDINGS):
            return refusal(400, "File format is not supported.")
        house.uploads += 1
        key = f"file-fe-{house.uploads:08}"
        content = parts["file"].get_payload(decode=True).decode("utf-8")
        house.files[key] = File(name, content, house.looks, "uploaded" if house.looks else "processed")
        return 200, told(key, house.files[key])

    def _chat(self, body: dict[str, Any]) -> None:
        house = self.house
        house.chats.append(body)
        if problem := house.problem(body["messages"]):
            status, answer = refusal(400, problem)
            return self.send(status, json.dumps(answer).encode())
        reply = house.replies.pop(0) if len(house.replies) > 1 else house.replies[0]
        base = {"id": "1", "object": "chat.completion.chunk", "created": 0, "model": body["model"]}
        read = sum(len(house.files[key].content) for key in house.named())
        lines = [
            {**base, "choices": [{"index": 0, "delta": {"role": "assistant", "content": reply[at : at + 6]}}]}
            for at in range(0, len(reply), 6)
        ]
        usage = {"prompt_tokens": 100 + read, "completion_tokens": 7, "total_tokens": 107 + read}
        lines.append({**base, "choices": [], "usage": usage})
        sent = "".join(f"data: {json.dumps(line)}\n\n" for line in lines) + "data: [DONE]\n\n"
        return self.send(200, sent.encode(), "text/event-stream")

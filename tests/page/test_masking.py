from __future__ import annotations

import time

import pytest

from pipelines.page.masking import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("llm: {api_key: hunter2, model: m}", "llm: {api_key: ******, model: m}"),
        ("llm: {api_key: 'a b, c}', model: m}", "llm: {api_key: ******, model: m}"),
        ("llm:\n  api_key: |\n    one\n    two\n  model: m\n", "llm:\n  api_key: ******\n  model: m\n"),
        ("llm:\n  api_key: one\n    two\n  model: m\n", "llm:\n  api_key: ******\n  model: m\n"),
        ("llm: {api_key: 12345678}", "llm: {api_key: ******}"),
        ('vector_store: {type: chroma, token: "t\\x6fken-1"}', "vector_store: {type: chroma, token: ******}"),
        ("? api_key\n: hunter2\n", "? api_key\n: ******\n"),
        ('"api\\x5fkey": hunter2\n', '"api\\x5fkey": ******\n'),
        ("a: &k hunter2\napi_key: *k\n", "a: ******\napi_key: *k\n"),
        ("api_key: hunter2\n# once hunter2\n", "api_key: ******\n# once ******\n"),
        ("catalog: postgresql://joe:p@ss/w@host/db", "catalog: postgresql://joe:******@host/db"),
        ("a: [x]  # api_key: hunter2222\n", "a: [x]  # api_key: ******\n"),
        ("a: 'sk-abcdef123'  # sk-other1", "a: '******'  # ******"),
        ("args: {headers: {Authorization: Bearer abc}}", "args: {headers: {Authorization: ******}}"),
        ("args: {credentials: {user: joe, x: [1]}}", "args: {credentials: {user: ******, x: [******]}}"),
        ("urls: ['https://h/x?page=1&access_token=abc']", "urls: ['https://h/x?page=1&access_token=******']"),
        ("api_key: ${KEY:-sk-standard1}", "api_key: ${KEY:-******}"),
        ("api_key: pre-${KEY}", "api_key: ******"),
    ],
)
def test_secrets_are_hidden(text: str, shown: str) -> None:
    found, secrets = masked(text)
    assert found == shown
    assert secrets


@pytest.mark.parametrize(
    "text",
    [
        "# The handbook\nstorage: storage\nembed_model: {type: fake}\n",
        'llm: {api_key: "${OPENAI_API_KEY}"}',
        'llm: {api_key: "${OPENAI_API_KEY:?set it: see the wiki}"}',
        'llm: {api_key: "${API_KEY:-none}"}  # api_key: "${API_KEY:-none}"',
        "catalog: postgresql://${USER}:${PASSWORD}@host/db",
        "catalog: sqlite:///catalog.sqlite",
        "api_key: none\ntoken:\nsecret: ''\n",
        "loaders: {password: {type: folder, path: docs}}\nmax_tokens: 3000\nkeyword: {dictionary: [key]}\n",
        "# the password: ask the librarian\na: b\n",
    ],
)
def test_what_is_no_secret_stays_as_it_is_written(text: str) -> None:
    assert masked(text) == (text, [])


@pytest.mark.parametrize(
    "text",
    [
        "a: [\nllm:\n  api_key: hunter2\n",
        "a: [\nllm:\n  api_key:\n    hunter2\n  model: m\n",
        "a: [\nllm: {model: m, api_key: 'x hunter2'}\n",
        "a: [\nllm: {api_key:\nhunter2}\n",
        "a: [\n  ? api_key\n  : hunter2\n",
        "a: [\nx: |\n\tapi_key = hunter2\n",
        "a: [\nx: https://joe:hunter2@host/\n",
        "a: [\nheaders:\n  Authorization: Bearer hunter2\n",
        "api_key: ${KEY}\napi_key: hunter2\n",
        "a: [\npassword:\n  - one\n  - hunter2\n",
        "a: !x {api_key: hunter2}\n",
    ],
)
def test_a_broken_file_hides_all_behind_names_of_secrets(text: str) -> None:
    shown, secrets = masked(text)
    assert "hunter2" not in shown
    assert secrets


@pytest.mark.parametrize(
    "text",
    [
        "a:\n" + "".join(f"  - {{api_key: hunter{each}, b: 'x#y'}}  # z\n" for each in range(3_000)),
        "://:" * 60_000,
        "api_key: '" + "${a:-hunter" * 20_000,
        "# api_key: " + "${a" * 60_000 + "hunter",
        "hunter" * 40_000 + ": [",
        "?" + "hunter" * 40_000,
        "a: [" * 50_000,
    ],
)
def test_a_hostile_text_is_masked_in_time(text: str) -> None:
    began = time.monotonic()
    masked(text)
    assert time.monotonic() - began < 10  # seconds; by the square of the size it would be minutes

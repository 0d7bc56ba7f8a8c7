from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipelines.page import http as door
from pipelines.page import users as user_file
from pipelines.page.access import Logins, Sessions
from pipelines.page.http import HEADERS, allowed_hosts, middleware
from pipelines.page.users import set_user

WORD = "correct horse"
LOGIN = {"username": "alice", "password": WORD}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    gradio = pytest.importorskip("gradio", reason="the page needs the extra `ui`")
    users = tmp_path_factory.mktemp("users") / "users.yaml"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(user_file, "_N", 2**10)
        patch.setattr(door, "MOST_BODY", 100_000)
        for name in ("GRADIO_ANALYTICS_ENABLED", "GRADIO_SSR_MODE"):
            patch.setenv(name, "False")
        patch.setenv("HF_HUB_OFFLINE", "1")
        for name in ("alice", "bob"):
            set_user(users, name, WORD)
        logins = Logins(users)
        with gradio.Blocks(analytics_enabled=False) as demo:
            text = gradio.Textbox()
            text.submit(lambda value: value, text, text, api_name="echo")
        app, address, _ = demo.launch(
            server_name="127.0.0.1",
            server_port=free_port(),
            prevent_thread_lock=True,
            quiet=True,
            auth=logins.allow,
            ssr_mode=False,
            run_history=False,
            max_file_size="1mb",
            app_kwargs={
                "middleware": middleware([*allowed_hosts("127.0.0.1"), "docs.example"], 1_000_000),
                "openapi_url": None,
                "docs_url": None,
                "redoc_url": None,
            },
        )
        app.tokens = Sessions(logins)

        def broken() -> None:
            raise RuntimeError("a secret of the server")

        app.router.add_api_route("/broken", broken)
        app.router.routes.insert(0, app.router.routes.pop())
        yield address.rstrip("/")
        demo.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def visitor(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        yield client


@pytest.fixture
def alice(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=20) as client:
        assert client.post("/login", data=LOGIN).json() == {"success": True}
        yield client


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 200),
        ("/config", 401),
        ("/no/such/page", 404),
        ("/health", 200),
        ("/static/img/logo.svg", 200),
        ("/gradio_api/info", 401),
        ("/openapi.json", 404),
        ("/docs", 404),
        ("/broken", 500),
    ],
)
def test_every_answer_has_the_headers(visitor: httpx.Client, path: str, status: int) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value]
    assert "secret of the server" not in answer.text


def test_a_login_opens_the_page(alice: httpx.Client) -> None:
    assert alice.get("/config").status_code == 200
    assert alice.get("/gradio_api/user").json() == "alice"
    joined = alice.post("/gradio_api/call/echo", json={"data": ["hello"]})
    assert joined.status_code == 200
    assert "hello" in alice.get(f"/gradio_api/call/echo/{joined.json()['event_id']}").text


def test_nothing_is_done_without_a_login(visitor: httpx.Client) -> None:
    assert visitor.get("/gradio_api/user").json() is None
    assert visitor.post("/gradio_api/call/echo", json={"data": ["hello"]}).status_code == 401
    assert visitor.post("/gradio_api/queue/join", json={}).status_code == 401
    assert visitor.post("/gradio_api/upload", files={"files": ("a.txt", b"x")}).status_code == 401


def test_wrong_passwords_are_slowed_down(visitor: httpx.Client) -> None:
    for _ in range(4):
        assert (
            visitor.post("/login", data={**LOGIN, "username": "bob", "password": "wrong"}).status_code == 400
        )
    assert visitor.post("/login", data={**LOGIN, "username": "bob"}).status_code == 400  # refused unseen
    assert visitor.post("/login", data=LOGIN).status_code == 200  # another name is not held up


def test_health_needs_no_login_and_tells_no_names(visitor: httpx.Client) -> None:
    answer = visitor.get("/health")
    assert sorted(answer.json()) == ["status", "version"]
    assert answer.json()["status"] == "ok"
    assert visitor.head("/health").status_code == 200
    assert visitor.get("/health", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "",
        "localhost@evil.example",
        "[::2]",
        "10.0.0.1",
        "localhost:x",
    ],
)
def test_a_foreign_host_is_refused(visitor: httpx.Client, host: str) -> None:
    assert visitor.get("/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:1234", "127.0.0.1:80", "[::1]:7860", "[0:0:0:0:0:0:0:1]", "docs.example."],
)
def test_our_own_hosts_are_served_whatever_the_port(visitor: httpx.Client, host: str) -> None:
    assert visitor.get("/health", headers={"Host": host}).status_code == 200


def upload(client: httpx.Client, **headers: str) -> int:
    return client.post(
        "/gradio_api/upload", files={"files": ("a.txt", b"hello")}, headers=headers
    ).status_code


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://[", "file://", ""]
)
def test_a_foreign_site_can_send_nothing(alice: httpx.Client, origin: str) -> None:
    assert upload(alice, Origin=origin) == 403
    assert alice.post("/login", data=LOGIN, headers={"Origin": origin}).status_code == 403


def test_the_page_itself_can(alice: httpx.Client, url: str) -> None:
    assert upload(alice, Origin=url) == 200
    assert upload(alice) == 200  # a program sends no Origin
    assert upload(alice, **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert upload(alice, Origin="https://docs.example", Host="docs.example") == 200  # behind a proxy


def test_a_cross_site_question_before_a_request_is_not_granted(visitor: httpx.Client) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    answer = visitor.options("/gradio_api/upload", headers=asked)
    assert answer.headers.get("access-control-allow-origin") in (None, "")


def raw(url: str, head: str, body: bytes = b"") -> bytes:
    """Send a request as it is; what comes back."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n")
        answer = b""
        try:
            connection.sendall(body)
            while part := connection.recv(65536):
                answer += part
        except OSError:  # the server has said enough and hung up
            pass
        return answer


def test_a_body_of_a_gigabyte_is_refused_before_it_is_read(url: str) -> None:
    for path in ("/gradio_api/upload", "/login", "/gradio_api/queue/join"):
        answer = raw(url, f"POST {path} HTTP/1.1\nHost: localhost\nContent-Length: 1000000000\n")
        assert answer.startswith(b"HTTP/1.1 413")
        assert b"content-security-policy" in answer.lower()


def chunks(size: int) -> Iterator[bytes]:
    for _ in range(size // 10_000):
        yield b"x" * 10_000


def test_a_body_without_a_length_is_counted(alice: httpx.Client) -> None:
    kind = {"Content-Type": "application/json"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert alice.post("/login", content=chunks(200_000), headers=form).status_code == 413
    assert alice.post("/gradio_api/call/echo", content=chunks(200_000), headers=kind).status_code == 413
    form = {"Content-Type": "multipart/form-data; boundary=b"}
    large = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n'

    def parts() -> Iterator[bytes]:
        yield large
        yield from chunks(2_000_000)

    assert alice.post("/gradio_api/upload", content=parts(), headers=form).status_code == 413
    assert upload(alice) == 200


def test_no_file_of_the_machine_is_served(alice: httpx.Client) -> None:
    root = Path(__file__).resolve().parents[2]
    for path in (
        "/etc/passwd",
        f"{root}/pyproject.toml",
        "pyproject.toml",
        "../../etc/passwd",
        "/proc/self/environ",
    ):
        for prefix in ("/gradio_api/file=", "/file=", "/static/", "/assets/", "/gradio_api/file/"):
            answer = alice.get(prefix + path)
            assert answer.status_code in (307, 400, 403, 404, 405), prefix + path
            assert "searchask" not in answer.text and "root:" not in answer.text


def asgi(host: str, hosts: list[str]) -> int:
    """The status that a bare page behind the door answers to a host with."""
    from starlette.applications import Starlette
    from starlette.testclient import TestClient

    app: Any = Starlette(middleware=middleware(hosts, 1000))
    return TestClient(app).get("/health", headers={"host": host}).status_code


def test_listening_everywhere_trusts_addresses_in_numbers_but_no_unknown_name() -> None:
    hosts = allowed_hosts("0.0.0.0", ["docs.example"])
    told = {
        host: asgi(host, hosts) for host in ("192.168.1.5:80", "[fe80::1]", "docs.example", "evil.example")
    }
    assert told == {"192.168.1.5:80": 200, "[fe80::1]": 200, "docs.example": 200, "evil.example": 400}
    assert asgi("192.168.1.5", allowed_hosts("127.0.0.1")) == 400

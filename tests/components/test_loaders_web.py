"""The web loader against a real server on loopback: limits, redirects, and addresses that are refused."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from pydantic import ValidationError

from pipelines.components.loaders import WebLoader
from pipelines.documents import Source
from pipelines.errors import DocumentError
from pipelines.reading.web import Client
from tests.support import files


class Site(BaseHTTPRequestHandler):
    """Pages, redirects and misbehaviour."""

    def do_GET(self) -> None:
        site = f"http://127.0.0.1:{self.server.server_address[1]}"
        redirects = {"/one": "/page?q=1", "/loop": "/loop", "/out": "ftp://x/y", "/local": "file:///etc/passwd",
                     "/other": site.replace("127.0.0.1", "[::1]") + "/page"}  # fmt: skip
        path = self.path.partition("?")[0]
        if path in redirects:
            self.send_response(302)
            self.send_header("Location", redirects[path])
            self.end_headers()
        elif path in ("/page", "/%E5%B9%B4%E5%81%87"):
            self.reply(b"<!doctype html><h1>Hello</h1><p>" + self.headers["Host"].encode())
        elif path == "/file.pdf":
            self.reply(files.pdf([["From the web."]]))
        elif path == "/big":
            self.reply(b"x" * 5000)
        elif path == "/endless":
            self.send_response(200)
            self.end_headers()
            while True:
                self.wfile.write(b"x" * 1000)
        elif path == "/slow":
            self.send_response(200)
            self.end_headers()
            for _ in range(100):
                self.wfile.write(b"x")
                self.wfile.flush()
                time.sleep(0.1)
        elif path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            self.wfile.write(b"x")
        else:
            self.send_error(404)

    def reply(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def client(**fields: object) -> Client:
    limits: dict[str, object] = {"timeout": 5.0, "max_redirects": 3, "max_size": 4000, "allow_private": True}
    return Client(**limits | fields)  # type: ignore[arg-type]


def test_pages_are_read(site: str) -> None:
    urls = [f"{site}/page", f"{site}/one", f"{site}/file.pdf", f"{site}/年假"]
    loader = WebLoader(type="web", urls=urls, allow_private=True).build(base=Path())
    assert [source.path for source in loader.scan()] == urls
    found = [loader.read(source, loader.fetch(source)) for source in loader.scan()]
    assert [document.format for document in found] == ["html", "html", "pdf", "html"]
    assert found[0].text == f"# Hello\n\n{site.removeprefix('http://')}\n"
    assert found[2].text == "From the web.\n"


@pytest.mark.parametrize(("path", "why"), [
    ("/nothing", "HTTP 404 Not Found"),
    ("/loop", "more than 3 redirects"),
    ("/out", "only http and https"),
    ("/local", "only http and https"),
    ("/big", "larger than max_file_size"),
    ("/endless", "larger than max_file_size"),
    ("/short", "broke|whole|HTTP answer"),
])  # fmt: skip
def test_refusals(site: str, path: str, why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        client().get(site + path)


def test_a_dripping_server_is_cut_off(site: str) -> None:
    begun = time.monotonic()
    with pytest.raises(DocumentError, match=r"within 0\.5 s"):
        client(timeout=0.5).get(f"{site}/slow")
    assert time.monotonic() - begun < 2


def test_a_closed_port_says_so() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(DocumentError, match="refused"):
        client().get(f"http://127.0.0.1:{port}/")


def test_private_addresses_are_refused_by_default(site: str) -> None:
    loader = WebLoader(type="web", urls=[f"{site}/page"]).build(base=Path())
    with pytest.raises(DocumentError, match=r"private address 127\.0\.0\.1.*allow_private"):
        loader.fetch(Source(f"{site}/page"))


def test_a_redirect_to_an_address_that_is_not_allowed_is_refused(site: str) -> None:
    only_v4 = client(allow_private=False, allow_networks=(ipaddress.ip_network("127.0.0.0/8"),))
    assert b"Hello" in only_v4.get(f"{site}/one")
    with pytest.raises(DocumentError, match="private address ::1"):
        only_v4.get(f"{site}/other")


def test_the_checked_address_is_the_one_connected_to(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(site.rpartition(":")[2])
    answers = iter(["127.0.0.1", "127.0.0.99"])
    asked: list[str] = []
    real = socket.getaddrinfo

    def changing(host: str, *args: object, **kwargs: object) -> object:
        if host != "rebind.test":
            return real(host, *args, **kwargs)  # type: ignore[arg-type]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), port))]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    assert f"rebind.test:{port}".encode() in client().get(f"http://rebind.test:{port}/page")
    assert asked == ["rebind.test"]


@pytest.mark.parametrize("text", [
    "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
    "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "64:ff9b::7f00:1", "2002:7f00:1::", "192.0.0.8", "198.18.0.1",
])  # fmt: skip
def test_addresses_that_are_never_public(text: str) -> None:
    assert not client(allow_private=False).allows(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_addresses(text: str) -> None:
    assert client(allow_private=False).allows(ipaddress.ip_address(text))


@pytest.mark.parametrize(
    "url", ["ftp://a/b", "file:///etc/passwd", "example.com", "http://", "http://a:99999/"]
)
def test_only_web_addresses_are_listed(url: str) -> None:
    with pytest.raises(ValidationError, match="http:// or https:// address is needed"):
        WebLoader(type="web", urls=[url])


def test_a_password_in_an_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(ValidationError) as caught:
        WebLoader(type="web", urls=["https://user:hunter2@example.com/"])
    assert "hunter2" not in str([error["msg"] for error in caught.value.errors()])

"""A Hugging Face Hub on loopback, as far as huggingface_hub and datasets ask it; for the tests.

It speaks the protocol of `huggingface_hub` 2.4: create, preupload, LFS batch, upload, commit
(NDJSON), trees, references, tags and downloads with ranges. It can misbehave: `faults` are taken
one by one by the requests that they match.
"""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.hub_calls import ROUTES, Calls, Refused
from tests.hub_repositories import Repo


@dataclass
class Fault:
    """What goes wrong, `times` times, with requests like `POST /api/...` that match a pattern.

    `status` is answered with `headers`; `cut` drops the connection in the middle of the body;
    `before` is called and the request then goes on.
    """

    pattern: str
    times: int = 1
    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    before: Callable[[], None] | None = None


@dataclass
class Hub:
    """Everything that the server holds, and every request that it has seen."""

    repos: dict[tuple[str, str], Repo] = field(default_factory=dict)
    large: dict[str, bytes] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    uploaded: list[str] = field(default_factory=list)
    quota: int | None = None
    url: str = ""
    lock: threading.RLock = field(default_factory=threading.RLock)

    def repo(self, kind: str, name: str) -> Repo:
        if (kind, name) not in self.repos:
            raise Refused(404, "Repository not found", "RepoNotFound")
        return self.repos[kind, name]

    def dataset(self, name: str) -> Repo:
        return self.repo("dataset", name)

    def fault(self, request: str) -> Fault | None:
        with self.lock:
            for fault in self.faults:
                if fault.times and re.search(fault.pattern, request):
                    fault.times -= 1
                    return fault
        return None


@contextmanager
def serving() -> Iterator[Hub]:
    """A Hub for the time of the block; its address is `hub.url`."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(Calls, BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: Any) -> None:
        """Nothing on stderr."""

    def _answer(self) -> None:
        split = urlsplit(self.path)
        self.route, self.query = unquote(split.path), parse_qs(split.query)
        request = f"{self.command} {self.route}"
        self.hub.requests.append(request)
        fault = self.hub.fault(request)
        if fault and fault.cut:
            self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.body = self._read()
        if fault and fault.before:
            fault.before()
        try:
            if fault and fault.status:
                raise Refused(fault.status, "a fault of the test")
            with self.hub.lock:
                self._dispatch(request)
        except Refused as refused:
            headers = {"X-Error-Message": refused.message, **(fault.headers if fault else {})}
            if refused.code:
                headers["X-Error-Code"] = refused.code
            self._send(refused.status, json.dumps({"error": refused.message}).encode(), headers)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any, status: int = 200) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _dispatch(self, request: str) -> None:
        for pattern, method in ROUTES:
            if match := re.fullmatch(pattern, request):
                getattr(self, method)(**match.groupdict())
                return
        raise Refused(404, f"the test's Hub knows no {request}")

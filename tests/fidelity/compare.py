"""Sends the requests of walk.py to the emulator (its URL is the argument) and to the copy of the service, each to a fresh state, and
prints what both answered as JSON. Every answer of the emulator is held against the schemas of the copy's OpenAPI document."""

import asyncio
import http.client
import json
import re
import sys
from datetime import datetime
from urllib.parse import unquote, urlsplit
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

import service
from walk import INFO, MINT, NOBODY, PAIR, TOKEN, WALK, Request

FORMATS = FormatChecker([])
FORMATS.checks("uuid", ValueError)(lambda text: str(UUID(text)) == text)
FORMATS.checks("date-time", ValueError)(
    lambda text: re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", text)
    and datetime.fromisoformat(text)
)


class Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes):
        self.status = status
        self.headers = {name.lower(): value for name, value in headers}
        self.text = body.decode()

    def json(self) -> object:
        return json.loads(self.text)

    def shape(self, origin: str, id: str) -> dict:
        """What both answers must have in common."""
        shape = {"status": self.status, "type": self.headers.get("content-type"), "allow": self.headers.get("allow")}
        if "location" in self.headers:
            shape["location"] = self.headers["location"].removeprefix(origin).replace(id, "{id}")
        if self.status >= 400 and self.text:
            body = self.json()
            shape["members"] = sorted(body)
            shape["faults"] = [[one.get("field"), one.get("error_code")] for one in body.get("errors", [])]
        return shape


class Copy:
    """The copy of the service, without a network: requests reach it as a server would hand them over."""

    origin = "http://copy.example"

    def __init__(self):
        self.app = service.service()

    def reset(self) -> None:
        self.app.state.reset()

    def rows(self) -> list[dict]:
        return self.app.state.live()

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": unquote(path),
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(b"host", b"copy.example"), *((k.encode(), v.encode()) for k, v in headers)],
            "client": ("127.0.0.1", 1),
            "server": ("copy.example", 80),
        }
        sent = []

        async def receive() -> dict:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict) -> None:
            sent.append(message)

        asyncio.run(self.app(scope, receive, send))
        start = next(message for message in sent if message["type"] == "http.response.start")
        answered = [(name.decode(), value.decode()) for name, value in start["headers"]]
        whole = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        return Answer(start["status"], answered, b"" if method == "HEAD" else whole)


class Emulator:
    def __init__(self, url: str):
        self.origin = url
        self.address = urlsplit(url).netloc

    def reset(self) -> None:
        self.send("POST", "/_emulator/reset", [("content-type", "application/json")], b"{}")

    def rows(self) -> list[dict]:
        state = self.send("GET", "/_emulator/state", [], b"").json()
        return [row for row in state["organizations"][0]["workspaces"] if not row["tombstone"]]

    def send(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Answer:
        # As given: nothing is normalized, and no header is added but Host and Content-Length.
        connection = http.client.HTTPConnection(self.address, timeout=30)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        if body:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        whole = answer.read()
        connection.close()
        return Answer(answer.status, answer.getheaders(), whole)


class State:
    """One of both, fresh, with the workspace `tenant-1`."""

    def __init__(self, server: Copy | Emulator):
        self.server = server
        server.reset()
        self.tokens = {}
        kind = ("content-type", "application/json")
        pair = server.send("POST", TOKEN, [kind], json.dumps(PAIR).encode()).json()
        self.tokens["application"] = pair["access_token"]
        asked = ("authorization", f"Bearer {pair['access_token']}")
        named = json.dumps({"workspace_name": "tenant-1"}).encode()
        self.tokens["scoped"] = server.send("POST", MINT, [kind, asked], named).json()["token"]
        info = server.send("GET", INFO, [("authorization", f"Bearer {self.tokens['scoped']}")], b"").json()
        self.id = info["workspace_id"]

    def send(self, request: Request) -> Answer:
        words = {"{id}": self.id, "{ID}": self.id.upper(), "{hex}": self.id.replace("-", ""), "{nobody}": NOBODY}
        target = request.target
        for word, value in words.items():
            target = target.replace(word, value)
        headers = []
        if request.bearer in self.tokens:
            headers.append(("authorization", f"Bearer {self.tokens[request.bearer]}"))
        elif request.bearer is not None:
            headers.append(("authorization", request.bearer.replace("{application}", self.tokens["application"])))
        body = request.payload()
        if request.content_type is not None and (body or request.method in ("POST", "PUT")):
            headers.append(("content-type", request.content_type))
        return self.server.send(request.method, target, [*headers, *request.headers], body)

    def rows(self) -> list[list]:
        """What is there afterwards."""
        rows = self.server.rows()
        # A name may have half a pair of surrogates, which cannot be printed.
        names = [row["name"].encode("utf-8", "backslashreplace").decode() for row in rows]
        return [[name, row["status"], row["cache_enabled"]] for name, row in zip(names, rows)]


class Schemas:
    """The answers that the copy declares, by operation."""

    def __init__(self, app):
        self.document = app.openapi()
        self.routes = [route for route in app.routes if getattr(route, "path", "").startswith("/api/")]

    def judge(self, request: Request, answer: Answer) -> str | None:
        """What is wrong with an answer of the emulator, none if it is as declared."""
        if answer.status == 307 or request.method == "HEAD":
            return f"has a body: {answer.text}" if answer.text else None
        if answer.headers.get("content-type") != "application/json":
            return f"content type {answer.headers.get('content-type')}"
        body = answer.json()
        if answer.status >= 400:
            framework = {"detail"} == set(body) and answer.status in (404, 405)
            name = "FrameworkError" if framework else "ApiErrorResponse"
            schema = service.FrameworkError.model_json_schema() if framework else self.named(name)
        else:
            schema = self.success(request.method, unquote(request.target.partition("?")[0]), answer.status)
            if schema is None:
                return f"status {answer.status} is not declared"
        errors = [error.message for error in Draft202012Validator(schema, format_checker=FORMATS).iter_errors(body)]
        return "; ".join(errors) or None

    def named(self, name: str) -> dict:
        return {"$ref": f"#/components/schemas/{name}", "components": self.document["components"]}

    def success(self, method: str, path: str, status: int) -> dict | None:
        for route in self.routes:
            if method in route.methods and route.path_regex.match(path):
                operation = self.document["paths"][route.path][method.lower()]
                content = operation["responses"].get(str(status), {}).get("content")
                return content and {**content["application/json"]["schema"], "components": self.document["components"]}
        return None


def main() -> None:
    names = [request.name for request in WALK]
    twice = {name for name in names if names.count(name) > 1}
    assert not twice, f"two requests have one name: {twice}"
    emulator, copy = Emulator(sys.argv[1]), Copy()
    schemas = Schemas(copy.app)
    results = []
    for request in WALK:
        seen = []
        for server in (emulator, copy):
            state = State(server)
            answer = state.send(request)
            seen.append({**answer.shape(server.origin, state.id), "rows": state.rows()})
            if server is emulator:
                wrong = schemas.judge(request, answer)
        mine, theirs = seen
        results.append({"request": request.name, "emulator": mine, "copy": theirs, "wrong": wrong})
    print(json.dumps(results))


main()

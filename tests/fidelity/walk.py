"""The requests that compare.py sends to the emulator and to the copy of the service, each to a fresh state.

Beside `default` the state has the workspace `tenant-1`. In a target and a body {id} is its id; {nobody} is the id of no workspace.
"""

import json
from typing import NamedTuple

JSON = "application/json"
NOBODY = "22222222-2222-4222-8222-222222222222"
ACCOUNT = "/api/v1/account/applications"
TOKEN, MINT, INFO, WIDGET = (
    f"{ACCOUNT}/{path}" for path in ("token", "scoped-token", "scoped-token/info", "widget-token")
)
OLDER = "/api/v1/embedded"
WORKSPACES = "/api/v1/workspaces"
ONE = f"{WORKSPACES}/{{id}}"
CONNECTORS = "/api/v1/integrations/connectors"
PAIR = {"client_id": "emulated-client", "client_secret": "emulated-secret"}
ORGANIZATION = "x-organization-id"


class Request(NamedTuple):
    name: str
    method: str
    target: str
    #: `application`, `scoped`, none, or the whole header.
    bearer: str | None = "application"
    #: What is no text is sent as JSON.
    body: object = None
    content_type: str | None = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def payload(self) -> bytes:
        if self.body is None or isinstance(self.body, bytes):
            return self.body or b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


def named(name: str, **more: object) -> dict:
    return {"workspace_name": name, **more}


def widget(**more: object) -> dict:
    return {"workspace_name": "tenant-2", "allowed_origin": "https://app.example", **more}


def mints(name: str, body: object, **more) -> Request:
    return Request(f"T2, {name}", "POST", MINT, body=body, **more)


def widgets(name: str, **more: object) -> Request:
    return Request(f"T4, {name}", "POST", WIDGET, body=widget(**more))


def lists(name: str, query: str) -> Request:
    return Request(f"W1, {name}", "GET", f"{WORKSPACES}?{query}")


def puts(name: str, body: object, **more) -> Request:
    return Request(f"W4, {name}", "PUT", ONE, body=body, **more)


def reads(name: str, id: str) -> Request:
    return Request(f"W3, {name}", "GET", f"{WORKSPACES}/{id}")


WALK = [
    # What is documented.
    Request("T1", "POST", TOKEN, None, PAIR),
    mints("a new name", named("tenant-2")),
    mints("a known name", named("tenant-1")),
    mints("with a region", named("tenant-2", region_id="645a183f-b12b-4c6e-8ad3-99e165603450")),
    Request("T2, older path", "POST", f"{OLDER}/scoped-token", body=named("tenant-2")),
    Request("T3", "GET", INFO, "scoped"),
    Request("T3, older path", "GET", f"{OLDER}/scoped-token/info", "scoped"),
    widgets("all members", region_id=None, selected_source_template_tags=["a"], selected_source_template_tags_mode="all"),
    Request("T4, older path", "POST", f"{OLDER}/widget-token", body=widget()),
    Request("W1", "GET", WORKSPACES),
    lists("all filters", "name_contains=TENANT&status=active&limit=5"),
    Request("W2", "GET", f"{WORKSPACES}/stats"),
    reads("known", "{id}"),
    puts("all members", {"name": "renamed", "status": "inactive", "cache_enabled": True}),
    Request("W5", "DELETE", ONE),
    Request("C1, by id", "GET", f"{CONNECTORS}?workspace_id={{id}}"),
    Request("C1, by name", "GET", f"{CONNECTORS}?workspace_name=tenant-1"),
    Request("C1, by a former name of the parameter", "GET", f"{CONNECTORS}?customer_name=tenant-1"),
    # Bodies.
    Request("T1, no body", "POST", TOKEN, None),
    Request("T1, empty object", "POST", TOKEN, None, {}),
    Request("T1, null members", "POST", TOKEN, None, {"client_id": None, "client_secret": None}),
    Request("T1, number as id", "POST", TOKEN, None, {"client_id": 7, "client_secret": "x"}),
    Request("T1, an extra member", "POST", TOKEN, None, {**PAIR, "grant_type": "client_credentials"}),
    Request("T1, wrong pair", "POST", TOKEN, None, {"client_id": "x", "client_secret": "y"}),
    Request("T1, a form", "POST", TOKEN, None, "client_id=a&client_secret=b", "application/x-www-form-urlencoded"),
    mints("no body", None),
    mints("no body, no content type", None, content_type=None),
    mints("null", "null"),
    mints("a list", []),
    mints("a text", '"tenant-2"'),
    mints("a number", "7"),
    mints("no JSON", "{"),
    mints("two values", '{"workspace_name":"a"} {}'),
    mints("NaN beside the name", '{"workspace_name":"tenant-2","x":NaN}'),
    mints("bytes that are no UTF-8", b'{"workspace_name":"\xff"}'),
    mints("a mark of byte order", b'\xef\xbb\xbf{"workspace_name":"tenant-2"}'),
    mints("UTF-16", '{"workspace_name":"tenant-2"}'.encode("utf-16-le")),
    mints("half a pair of surrogates", '{"workspace_name":"\\ud800"}'),
    mints("lists in lists", '{"workspace_name":"tenant-2","x":' + "[" * 200 + "]" * 200 + "}"),
    mints("the name twice", '{"workspace_name":7,"workspace_name":"tenant-2"}'),
    mints("no name", {}),
    mints("null as name", named(None)),
    mints("number as name", named(7)),
    mints("boolean as name", named(True)),
    mints("list as name", named(["tenant-2"])),
    mints("empty name", named("")),
    mints("blank name", named(" ")),
    mints("blanks around the name", named(" tenant-1 ")),
    mints("line feed in the name", named("a\nb")),
    mints("NUL in the name", named("a\0b")),
    mints("name of 10,000 characters", named("x" * 10_000)),
    mints("name outside ASCII", named("Zürich 🦀")),
    mints("former name of the member", {"customer_name": "tenant-2"}),
    mints("an extra member", named("tenant-2", tags=["a"])),
    mints("null as region", named("tenant-2", region_id=None)),
    mints("word as region", named("tenant-2", region_id="moon")),
    mints("number as region", named("tenant-2", region_id=7)),
    mints("unknown region", named("tenant-2", region_id=NOBODY)),
    mints("region without hyphens", named("tenant-2", region_id="645a183fb12b4c6e8ad399e165603450")),
    mints("region in braces", named("tenant-2", region_id="{645a183f-b12b-4c6e-8ad3-99e165603450}")),
    mints("region as URN", named("tenant-2", region_id="urn:uuid:645a183f-b12b-4c6e-8ad3-99e165603450")),
    mints("all wrong", named(7, region_id="moon")),
    widgets("no origin", allowed_origin=None),
    widgets("empty origin", allowed_origin=""),
    widgets("null as tags", selected_source_template_tags=None),
    widgets("text as tags", selected_source_template_tags="a"),
    widgets("number among the tags", selected_connection_template_tags=["a", 7]),
    widgets("unknown mode", selected_source_template_tags_mode="some"),
    widgets("mode in capitals", selected_source_template_tags_mode="ANY"),
    widgets("null as mode", selected_connection_template_tags_mode=None),
    widgets("all wrong", workspace_name=7, region_id="moon", selected_source_template_tags="a"),
    puts("no body", None),
    puts("empty object", {}),
    puts("null members", {"name": None, "status": None, "cache_enabled": None}),
    puts("null as status", {"status": None}),
    puts("an extra member", {"status": "active", "color": "red"}),
    puts("status in capitals", {"status": "Active"}),
    puts("unknown status", {"status": "gone"}),
    puts("number as status", {"status": 1}),
    puts("empty status", {"status": ""}),
    puts("number as name", {"name": 7}),
    puts("empty name", {"name": ""}),
    puts("the same name", {"name": "tenant-1"}),
    puts("a taken name", {"name": "default"}),
    *(
        puts(f"cache_enabled {json.dumps(value)}", {"cache_enabled": value})
        for value in ("true", "YES", "on", "t", "y", "1", 1, 1.0, 0, -0.0, "off", "n")
    ),
    *(
        puts(f"cache_enabled {json.dumps(value)}", {"cache_enabled": value})
        for value in ("maybe", "", " true", "enabled", 2, 0.5, -1, [], {}, [True])
    ),
    puts("all wrong", {"name": 7, "status": "gone", "cache_enabled": "maybe"}),
    # Content types.
    *(
        mints(f"content type {kind}", named("tenant-2"), content_type=kind)
        for kind in (
            "application/json; charset=utf-8",
            "APPLICATION/JSON",
            "application/vnd.api+json",
            "application/problem+json",
            "text/json",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/json-patch",
            "json",
            "application/ld+json;profile=x",
            "application/json, text/plain",
            ";",
        )
    ),
    mints("no content type", named("tenant-2"), content_type=None),
    puts("no content type", {"status": "inactive"}, content_type=None),
    Request("W1, with a body", "GET", WORKSPACES, body={"limit": 1}),
    Request("W5, with a body that is no JSON", "DELETE", ONE, body="{"),
    # Queries.
    *(
        lists(f"limit={value}", f"limit={value}")
        for value in ("0", "1", "100", "101", "-1", "x", "", "5.0", "5.5", "%205", "%2B5", "1_0", "007", "1e1", "0x10")
    ),
    lists("limit beyond 64 bits", "limit=99999999999999999999999"),
    lists("limit twice, the last one right", "limit=0&limit=5"),
    lists("limit twice, the last one wrong", "limit=5&limit=0"),
    lists("status=", "status="),
    lists("status in capitals", "status=ACTIVE"),
    lists("status twice", "status=gone&status=active"),
    lists("empty filter", "name_contains="),
    lists("filter twice", "name_contains=default&name_contains=tenant"),
    lists("filter with a plus sign", "name_contains=a+b"),
    lists("filter that is no UTF-8", "name_contains=%FF"),
    lists("filter with a lone percent sign", "name_contains=100%"),
    lists("unknown parameter", "page=2"),
    lists("parameter in capitals", "LIMIT=0"),
    lists("empty cursor", "cursor="),
    lists("made-up cursor", "cursor=nonsense"),
    lists("all wrong", "limit=0&status=gone"),
    Request("C1, no workspace", "GET", CONNECTORS),
    Request("C1, malformed id", "GET", f"{CONNECTORS}?workspace_id=x"),
    Request("C1, empty id", "GET", f"{CONNECTORS}?workspace_id="),
    Request("C1, unknown name", "GET", f"{CONNECTORS}?workspace_name=nobody"),
    Request("C1, malformed definition", "GET", f"{CONNECTORS}?workspace_id={{id}}&definition_id=x"),
    # Ids.
    reads("unknown", "{nobody}"),
    *(
        reads(f"id {id}", id)
        for id in ("x", "7", "%20", "null", "{id}x", "{id}%20", "%7B{id}%7D", "urn:uuid:{id}", "%2E%2E", "{id};v=1")
    ),
    reads("id in capitals", "{ID}"),
    reads("id without hyphens", "{hex}"),
    Request("W4, unknown", "PUT", f"{WORKSPACES}/{{nobody}}", body={"status": "active"}),
    Request("W4, unknown, wrong body", "PUT", f"{WORKSPACES}/{{nobody}}", body={"status": "gone"}),
    Request("W4, malformed id, wrong body", "PUT", f"{WORKSPACES}/x", body={"status": "gone"}),
    Request("W5, unknown", "DELETE", f"{WORKSPACES}/{{nobody}}"),
    Request("W5, malformed", "DELETE", f"{WORKSPACES}/x"),
    Request("C2, unknown", "DELETE", f"{CONNECTORS}/{{nobody}}"),
    Request("C2, malformed", "DELETE", f"{CONNECTORS}/x"),
    # Methods and paths.
    *(
        Request(f"{method} {path}", method, path)
        for method, path in (
            ("POST", WORKSPACES),
            ("PUT", WORKSPACES),
            ("HEAD", WORKSPACES),
            ("OPTIONS", WORKSPACES),
            ("get", WORKSPACES),
            ("PATCH", ONE),
            ("HEAD", ONE),
            ("POST", ONE),
            ("GET", TOKEN),
            ("GET", MINT),
            ("DELETE", MINT),
            ("POST", INFO),
            ("GET", WIDGET),
            ("POST", f"{WORKSPACES}/stats"),
            ("PUT", f"{WORKSPACES}/stats"),
            ("DELETE", f"{WORKSPACES}/stats"),
            ("POST", f"{WORKSPACES}/sync"),
            ("POST", CONNECTORS),
            ("GET", f"{CONNECTORS}/{{nobody}}"),
            ("PUT", f"{CONNECTORS}/{{nobody}}"),
            ("POST", f"{CONNECTORS}/{{nobody}}"),
            ("GET", "/"),
            ("GET", "/api/v1"),
            ("GET", "/api/v2/workspaces"),
            ("GET", "/API/V1/workspaces"),
            ("GET", f"{WORKSPACES}/"),
            ("GET", f"{WORKSPACES}//"),
            ("GET", f"{WORKSPACES}/?limit=5&name_contains=a%20b"),
            ("POST", f"{WORKSPACES}/"),
            ("GET", f"{ONE}/"),
            ("DELETE", f"{ONE}/"),
            ("GET", f"{WORKSPACES}/stats/"),
            ("POST", f"{MINT}/"),
            ("GET", "//api/v1/workspaces"),
            ("GET", "/api//v1/workspaces"),
            ("GET", f"{WORKSPACES}//stats"),
            ("GET", "/api/v1/./workspaces"),
            ("GET", "/api/v1/x/../workspaces"),
            ("GET", f"{WORKSPACES}%2Fstats"),
            ("GET", f"{WORKSPACES}/st%61ts"),
            ("GET", f"{WORKSPACES}/a%2Fb"),
            ("GET", f"{WORKSPACES}%00"),
            ("GET", f"{WORKSPACES}/%FF"),
            ("GET", f"{WORKSPACES}?"),
            ("GET", f"{ONE}/connectors"),
        )
    ),
    # Headers.
    *(
        Request(f"{name}, {call}", method, target, bearer, body)
        for call, method, target, body in (
            ("W1", "GET", WORKSPACES, None),
            ("T2", "POST", MINT, named("tenant-2")),
            ("T3", "GET", INFO, None),
        )
        for name, bearer in (
            ("no bearer", None),
            ("empty bearer", "Bearer "),
            ("bearer without a token", "Bearer"),
            ("forged bearer", "Bearer nonsense"),
            ("another scheme", "Basic eDp5"),
        )
    ),
    Request("scheme in small letters, W1", "GET", WORKSPACES, "bearer {application}"),
    Request("scheme in capitals, W1", "GET", WORKSPACES, "BEARER {application}"),
    Request("two blanks before the token, W1", "GET", WORKSPACES, "Bearer  {application}"),
    Request("scoped token, W1", "GET", WORKSPACES, "scoped"),
    Request("application token, T3", "GET", INFO, "application"),
    Request("no bearer, wrong query, W1", "GET", f"{WORKSPACES}?limit=0", None),
    Request("no bearer, wrong body, T2", "POST", MINT, None, {}),
    Request("no bearer, no JSON, T2", "POST", MINT, None, "{"),
    Request("forged bearer, no JSON, W4", "PUT", ONE, "Bearer nonsense", "{"),
    *(
        Request(f"{name} organization, {call}", method, target, bearer, body, headers=((ORGANIZATION, value),))
        for call, method, target, bearer, body in (
            ("T1", "POST", TOKEN, None, PAIR),
            ("T1 with a wrong pair", "POST", TOKEN, None, {"client_id": "x", "client_secret": "y"}),
            ("T2", "POST", MINT, "application", named("tenant-2")),
            ("T3", "GET", INFO, "scoped", None),
            ("W1", "GET", WORKSPACES, "application", None),
            ("W5", "DELETE", ONE, "application", None),
        )
        for name, value in (
            ("own", "11111111-1111-4111-8111-111111111111"),
            ("foreign", NOBODY),
            ("malformed", "acme"),
            ("empty", ""),
        )
    ),
    Request("malformed organization and limit, W1", "GET", f"{WORKSPACES}?limit=0", headers=((ORGANIZATION, "acme"),)),
    Request("malformed organization and body, T2", "POST", MINT, body={}, headers=((ORGANIZATION, "acme"),)),
    Request("malformed organization, no body, T1", "POST", TOKEN, None, headers=((ORGANIZATION, "acme"),)),
    Request(
        "organization twice, W1",
        "GET",
        WORKSPACES,
        headers=((ORGANIZATION, "11111111-1111-4111-8111-111111111111"), (ORGANIZATION, "acme")),
    ),
    Request("unknown header, W1", "GET", WORKSPACES, headers=(("x-request-id", "7"),)),
    Request("accepts another type, W1", "GET", WORKSPACES, headers=(("accept", "text/html"),)),
]

"""A plain copy of the public document's routes, in the web framework that the real service is written in.

It says what the framework and the declared types alone accept and refuse, and, as its OpenAPI document, what answers look like. It
knows one organization, decides nothing that the document leaves open, and is held against the emulator by compare.py.
"""

import base64
import json
import uuid
from datetime import datetime, timezone
from enum import Enum
from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
CLIENT_ID, CLIENT_SECRET = "emulated-client", "emulated-secret"
DEFINITION = "5e6175e5-68e1-4c17-bff9-56103bbb0d80"


class Answer(BaseModel):
    """What is answered has no member that is not declared."""

    model_config = ConfigDict(extra="forbid")


class WorkspaceStatus(str, Enum):
    active = "active"
    inactive = "inactive"


class Visibility(str, Enum):
    shared = "shared"
    private = "private"


class TagsMode(str, Enum):
    any = "any"
    all = "all"


class TokenRequest(BaseModel):
    client_id: str
    client_secret: str


class TokenResponse(Answer):
    access_token: str
    token_type: str
    expires_in: int
    organization_id: uuid.UUID | None = None


class ScopedTokenRequest(BaseModel):
    workspace_name: str
    region_id: uuid.UUID | None = None


class WidgetTokenRequest(BaseModel):
    workspace_name: str
    allowed_origin: str
    region_id: uuid.UUID | None = None
    selected_source_template_tags: list[str] = []
    selected_source_template_tags_mode: TagsMode = TagsMode.any
    selected_connection_template_tags: list[str] = []
    selected_connection_template_tags_mode: TagsMode = TagsMode.any


class ScopedTokenResponse(Answer):
    token: str


class ScopedTokenInfo(Answer):
    organization_id: uuid.UUID
    workspace_id: uuid.UUID
    workspace_name: str


class OlderScopedTokenInfo(Answer):
    organization_id: uuid.UUID
    workspace_id: uuid.UUID


class Workspace(Answer):
    id: uuid.UUID
    name: str
    organization_id: uuid.UUID
    status: WorkspaceStatus
    cache_enabled: bool | None
    tombstone: bool
    visibility: Visibility
    color: str | None
    created_at: datetime
    updated_at: datetime


class WorkspaceList(Answer):
    next: str | None = None
    data: list[Workspace]


class WorkspaceStats(Answer):
    active_count: int
    inactive_count: int
    total_count: int


class WorkspaceUpdateRequest(BaseModel):
    name: str | None = None
    status: WorkspaceStatus | None = None
    cache_enabled: bool | None = None


class WorkspaceDeleted(Answer):
    id: uuid.UUID
    deleted_at: datetime


class SourceTemplate(Answer):
    id: str
    name: str
    icon: str | None
    actor_definition_id: uuid.UUID


class Connector(Answer):
    id: uuid.UUID
    name: str
    summarized_source_template: SourceTemplate
    created_at: datetime
    updated_at: datetime


class ConnectorList(Answer):
    data: list[Connector]


class Job(Answer):
    job_id: uuid.UUID


class ApiError(Answer):
    field: str | None = None
    message: str | None = None
    error_code: str | None = None
    details: dict | None = None


class ApiErrorResponse(Answer):
    message: str | None = None
    errors: list[ApiError] = []


class FrameworkError(Answer):
    """What the framework answers itself, where no route is."""

    detail: str


def now() -> datetime:
    return datetime.now(timezone.utc)


def service() -> FastAPI:
    """The service; `app.state.reset()` makes its state fresh: the workspace `default` alone."""
    app = FastAPI(responses={code: {"model": ApiErrorResponse} for code in (400, 403, 422, 500)})
    workspaces: list[dict] = []
    bearer = HTTPBearer()

    def error(status: int, message: str, errors: list[dict], headers: dict | None = None) -> JSONResponse:
        return JSONResponse({"message": message, "errors": errors}, status, headers)

    @app.exception_handler(HTTPException)
    async def refused(_: Request, why: HTTPException) -> JSONResponse:
        return error(why.status_code, why.detail, [{"message": why.detail}], why.headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, why: RequestValidationError) -> JSONResponse:
        errors = []
        for one in why.errors():
            place, *steps = one["loc"]
            # Where JSON ends to be JSON is a number, not a member.
            steps = [] if one["type"] == "json_invalid" else steps
            field = ".".join(str(step) for step in steps) or place
            errors.append({"field": field, "message": one["msg"], "error_code": one["type"], "details": None})
        return error(422, errors[0]["message"], errors)

    def token(kind: str, of: str) -> str:
        return f"{kind}:{of}"

    def principal(kind: str):
        def read(given: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str:
            held, _, of = given.credentials.partition(":")
            if held not in ("application", "scoped"):
                raise HTTPException(401, "Invalid authentication credentials")
            if held != kind:
                # The document gives no code for the wrong kind.
                raise HTTPException(403 if kind == "application" else 401, "Wrong kind of token")
            return of

        return Depends(read)

    Application = Annotated[str, principal("application")]
    Scoped = Annotated[str, principal("scoped")]
    Organization = Annotated[uuid.UUID | None, Header(alias="X-Organization-Id")]

    def in_organization(organization: uuid.UUID | None) -> None:
        if organization is not None and str(organization) != ORGANIZATION:
            raise HTTPException(403, "You do not have access to this organization")

    def create(name: str) -> dict:
        row = {
            "id": str(uuid.uuid4()),
            "name": name,
            "organization_id": ORGANIZATION,
            "status": WorkspaceStatus.active,
            "cache_enabled": None,
            "tombstone": False,
            "visibility": Visibility.shared,
            "color": None,
            "created_at": now(),
            "updated_at": now(),
        }
        workspaces.append(row)
        return row

    def live() -> list[dict]:
        return [row for row in workspaces if not row["tombstone"]]

    def get_or_create(name: str) -> dict:
        return next((row for row in live() if row["name"] == name), None) or create(name)

    def find(workspace_id: uuid.UUID) -> dict:
        found = next((row for row in live() if row["id"] == str(workspace_id)), None)
        if found is None:
            raise HTTPException(404, "Workspace not found")
        return found

    def reset() -> None:
        workspaces.clear()
        create("default")

    reset()
    app.state.reset = reset
    app.state.live = live

    account = "/api/v1/account/applications"

    @app.post(f"{account}/token")
    async def application_token(body: TokenRequest, organization: Organization = None) -> TokenResponse:
        if (body.client_id, body.client_secret) != (CLIENT_ID, CLIENT_SECRET):
            raise HTTPException(401, "Invalid client credentials")
        in_organization(organization)
        return TokenResponse(
            access_token=token("application", "all"), token_type="bearer", expires_in=900, organization_id=ORGANIZATION
        )

    @app.post("/api/v1/embedded/scoped-token")
    @app.post(f"{account}/scoped-token")
    async def scoped_token(
        _: Application, body: ScopedTokenRequest, organization: Organization = None
    ) -> ScopedTokenResponse:
        in_organization(organization)
        return ScopedTokenResponse(token=token("scoped", get_or_create(body.workspace_name)["id"]))

    @app.get(f"{account}/scoped-token/info")
    async def scoped_token_info(workspace: Scoped, organization: Organization = None) -> ScopedTokenInfo:
        in_organization(organization)
        row = find(uuid.UUID(workspace))
        return ScopedTokenInfo(organization_id=ORGANIZATION, workspace_id=row["id"], workspace_name=row["name"])

    @app.get("/api/v1/embedded/scoped-token/info")
    async def older_info(workspace: Scoped, organization: Organization = None) -> OlderScopedTokenInfo:
        in_organization(organization)
        return OlderScopedTokenInfo(organization_id=ORGANIZATION, workspace_id=find(uuid.UUID(workspace))["id"])

    @app.post("/api/v1/embedded/widget-token")
    @app.post(f"{account}/widget-token")
    async def widget_token(
        _: Application, body: WidgetTokenRequest, organization: Organization = None
    ) -> ScopedTokenResponse:
        in_organization(organization)
        scoped = token("scoped", get_or_create(body.workspace_name)["id"])
        bundle = json.dumps({"token": scoped, "widgetUrl": "https://app.example/widget"})
        return ScopedTokenResponse(token=base64.b64encode(bundle.encode()).decode())

    @app.get("/api/v1/workspaces")
    async def list_workspaces(
        _: Application,
        name_contains: str | None = None,
        status: WorkspaceStatus | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 20,
        cursor: str | None = None,
        organization: Organization = None,
    ) -> WorkspaceList:
        in_organization(organization)
        rows = [
            row
            for row in live()
            if (name_contains or "").lower() in row["name"].lower() and status in (None, row["status"])
        ]
        return WorkspaceList(data=[Workspace(**row) for row in rows[:limit]])

    @app.get("/api/v1/workspaces/stats")
    async def stats(_: Application, organization: Organization = None) -> WorkspaceStats:
        in_organization(organization)
        active = sum(row["status"] == WorkspaceStatus.active for row in live())
        return WorkspaceStats(active_count=active, inactive_count=len(live()) - active, total_count=len(live()))

    @app.get("/api/v1/workspaces/{workspace_id}")
    async def get_workspace(_: Application, workspace_id: uuid.UUID, organization: Organization = None) -> Workspace:
        in_organization(organization)
        return Workspace(**find(workspace_id))

    @app.put("/api/v1/workspaces/{workspace_id}")
    async def update_workspace(
        _: Application, workspace_id: uuid.UUID, body: WorkspaceUpdateRequest, organization: Organization = None
    ) -> Workspace:
        in_organization(organization)
        row = find(workspace_id)
        row.update(body.model_dump(exclude_none=True), updated_at=now())
        return Workspace(**row)

    @app.delete("/api/v1/workspaces/{workspace_id}")
    async def delete_workspace(
        _: Application, workspace_id: uuid.UUID, organization: Organization = None
    ) -> WorkspaceDeleted:
        in_organization(organization)
        row = find(workspace_id)
        row["tombstone"] = True
        return WorkspaceDeleted(id=row["id"], deleted_at=now())

    connectors = "/api/v1/integrations/connectors"

    @app.get(connectors)
    async def list_connectors(
        _: Application,
        workspace_id: uuid.UUID | None = None,
        workspace_name: str | None = None,
        customer_name: str | None = None,
        external_user_id: str | None = None,
        definition_id: uuid.UUID | None = None,
        organization: Organization = None,
    ) -> ConnectorList:
        in_organization(organization)
        name = workspace_name or customer_name or external_user_id
        if workspace_id is not None:
            find(workspace_id)
        elif name is None:
            missing = {"loc": ("query", "workspace_id"), "type": "missing", "msg": "A workspace is required"}
            raise RequestValidationError([missing])
        elif all(row["name"] != name for row in live()):
            raise HTTPException(404, f"Workspace not found for workspace_name '{name}'")
        return ConnectorList(data=[])

    @app.post(connectors)
    async def create_connector(_: Application, body: dict, organization: Organization = None) -> dict:
        raise HTTPException(404, "Workspace not found")

    @app.get(connectors + "/{id}")
    async def get_connector(_: Application, id: uuid.UUID, organization: Organization = None) -> Connector:
        raise HTTPException(404, "Connector not found")

    @app.put(connectors + "/{id}")
    async def update_connector(_: Application, id: uuid.UUID, body: dict, organization: Organization = None) -> dict:
        raise HTTPException(404, "Connector not found")

    @app.delete(connectors + "/{id}", status_code=202)
    async def delete_connector(_: Application, id: uuid.UUID, organization: Organization = None) -> Job:
        raise HTTPException(404, "Connector not found")

    return app

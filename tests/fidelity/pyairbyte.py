"""Runs PyAirbyte's `airbyte.agents` against the emulator named by AIRBYTE_AGENTS_API_URL and prints what it found as JSON.

PyAirbyte's own code runs unchanged. Left out is what it imports beside the Agents API, with half a gigabyte of databases and cloud
clients: the package's opening module, the wrappers of Airbyte Cloud, and Google's secret manager. They stand here as empty modules. The package
asks for Python before 3.13 because of what is left out; its own code here is plain Python.
"""

import importlib.machinery
import importlib.util
import json
import sys
import types
from importlib.abc import Loader, MetaPathFinder


class Empty(types.ModuleType):
    """A module in which every name is a class without content."""

    __path__ = []

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


class LeftOut(MetaPathFinder, Loader):
    names = ("google", "airbyte.cloud.organizations", "airbyte.cloud.workspaces")

    def find_spec(self, name: str, path=None, target=None):
        if name in self.names or name.startswith("google."):
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec):
        return Empty(spec.name)

    def exec_module(self, module) -> None:
        pass


def without_opening(name: str, path: str) -> None:
    """Makes a package whose modules can be imported, and whose own `__init__` does not run."""
    package = types.ModuleType(name)
    package.__path__ = [path]
    sys.modules[name] = package


[root] = importlib.util.find_spec("airbyte").submodule_search_locations
without_opening("airbyte", root)
without_opening("airbyte.cloud", f"{root}/cloud")
sys.meta_path.insert(0, LeftOut())

from airbyte.agents import AgentOrganization, AgentWorkspace  # noqa: E402


def failure(act) -> dict:
    """Why it fails, in the client's own words."""
    try:
        act()
    except Exception as error:  # whatever it is, its name is the result
        context = getattr(error, "context", None) or {}
        response = getattr(error, "response", None)
        status = context.get("status_code") or getattr(response, "status_code", None)
        words = {"error": type(error).__name__, "message": getattr(error, "message", None), "status": status}
        return {**words, "guidance": getattr(error, "guidance", None)}
    return {}


def found(workspace: AgentWorkspace) -> dict:
    return {"id": workspace.workspace_id, "name": workspace.name, "organization": workspace.organization_id}


def main() -> None:
    known, both = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    organization = AgentOrganization.from_env()
    listed = organization.list_workspaces()
    workspace = organization.get_workspace(name="TENANT-003")
    info = workspace.get_info()
    result = {
        "listed": [row.name for row in listed],
        "found": found(workspace),
        "read": {"id": info.id, "name": info.name, "organization": info.organization_id, "status": info.status},
        "extra": sorted(info.model_extra or {}),
        "connectors": [connector.name for connector in workspace.list_connectors()],
        "by_id": found(organization.get_workspace(known)),
        "by_id_alone": organization.get_workspace(workspace_id=known).get_info().name,
        "second_page": failure(lambda: organization.get_workspace(name="other-40")),
        "two_of_a_name": failure(lambda: organization.get_workspace(name="ACME")),
        "unknown": failure(lambda: organization.get_workspace(workspace_id="22222222-2222-4222-8222-222222222222").get_info()),
        "malformed": failure(lambda: organization.get_workspace(workspace_id="x").get_info()),
        "refused": failure(lambda: AgentOrganization(**{**both, "client_secret": "wrong"}).list_workspaces()),
        "ambiguous": failure(lambda: AgentOrganization(**both).list_workspaces()),
        "foreign": failure(
            lambda: AgentOrganization(**both, organization_id="22222222-2222-4222-8222-222222222222").list_workspaces()
        ),
        "chosen": [
            row.name
            for row in AgentOrganization(**both, organization_id=organization.organization_id).list_workspaces()[:2]
        ],
    }
    print(json.dumps(result))


main()

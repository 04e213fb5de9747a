"""Runs the Python SDK against the emulator named by SDK_DEV_ADP_API_HOST and prints what it found as JSON."""

import asyncio
import json

from airbyte_agent_sdk import Workspace


async def main() -> None:
    result = {}
    async with Workspace(workspace_name="tenant-003") as workspace:
        result["workflows"] = len(await workspace.list_workflows())
        result["connectors"] = [connector.name for connector in await workspace.list_connectors()]
    async with Workspace(workspace_name="tenant-004") as workspace:
        result["unknown"] = await failure(workspace.list_workflows())
    async with Workspace(workspace_name="tenant-003", client_id="nobody", client_secret="wrong") as workspace:
        result["refused"] = await failure(workspace.list_connectors())
    print(json.dumps(result))


async def failure(call) -> str:
    try:
        await call
    except Exception as error:  # whatever it is, its name is the result
        return type(error).__name__
    return "none"


asyncio.run(main())

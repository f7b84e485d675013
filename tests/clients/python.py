"""The official Python SDK against the bookshop, in the era that is named:
`python python.py legacy|auto SPEC (--http URL | --stdio COMMAND...)`."""

import json
import os
import pathlib
import sys

import anyio
from mcp import Client, MCPError, StdioServerParameters, types

PATIENCE = 20


async def main(mode, spec, door, *target):
    server = target[0]
    if door == "--stdio":
        server = StdioServerParameters(command=target[0], args=list(target[1:]), env=dict(os.environ))
    heard = anyio.Event()

    async def hear(message):
        if isinstance(message, types.ToolListChangedNotification):
            heard.set()

    async with Client(server, mode=mode, message_handler=hear) as client:
        assert client.protocol_version == {"legacy": "2025-11-25", "auto": "2026-07-28"}[mode]
        assert client.server_info.name == "bookshop"
        await ask(client)
        if mode == "legacy":
            await edit_and_hear(client, spec, heard.wait)
        else:
            async with client.listen(tools_list_changed=True) as changes:
                await edit_and_hear(client, spec, lambda: anext(aiter(changes)))


async def ask(client):
    tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    schema = tools["find_books"].input_schema
    assert schema["required"] == ["words"], schema

    found = await client.call_tool("find_books", {"words": "austen", "limit": 2})
    assert not found.is_error
    assert [row["author"] for row in found.structured_content["rows"]] == ["Jane Austen"] * 2
    assert json.loads(found.content[0].text) == found.structured_content

    refused = await client.call_tool("find_books", {"words": "x"})
    assert refused.is_error and "words" in refused.content[0].text
    try:
        await client.call_tool("no_such_tool", {})
        raise AssertionError("an unknown tool was called")
    except MCPError as error:
        assert "no tool" in str(error), error

    assert [str(resource.uri) for resource in (await client.list_resources()).resources] == ["shop://terms"]
    assert len((await client.list_resource_templates()).resource_templates) == 2
    assert "Terms of sale" in (await client.read_resource("shop://terms")).contents[0].text
    assert json.loads((await client.read_resource("shop://books/4")).contents[0].text)["title"] == "Emma"

    assert len((await client.list_prompts()).prompts) == 2
    prompt = await client.get_prompt("recommend", {"taste": "the sea"})
    assert "likes the sea" in prompt.messages[0].content.text
    reference = types.PromptReference(type="ref/prompt", name="recommend")
    completed = await client.complete(reference, {"name": "genre", "value": "cr"})
    assert completed.completion.values == ["crime"], completed


async def edit_and_hear(client, spec, heard):
    added = f"added_{os.getpid()}"
    path = pathlib.Path(spec)
    path.write_text(path.read_text().replace("tools:\n", f"tools:\n  {added}: {{ text: hello }}\n", 1))
    with anyio.fail_after(PATIENCE):
        await heard()
    assert added in [tool.name for tool in (await client.list_tools()).tools]
    assert (await client.call_tool(added, {})).content[0].text == "hello"


anyio.run(main, *sys.argv[1:])

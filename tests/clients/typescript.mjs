// The official TypeScript SDK against the bookshop: `node typescript.mjs SPEC (--http URL | --stdio COMMAND...)`.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";

const PATIENCE = 20_000;
const [spec, door, ...target] = process.argv.slice(2);
const transport =
  door === "--http"
    ? new StreamableHTTPClientTransport(new URL(target[0]))
    : new StdioClientTransport({ command: target[0], args: target.slice(1), stderr: "ignore", env: process.env });

const client = new Client({ name: "typescript-sdk", version: "1.0.0" });
let hear;
const heard = new Promise((resolve, reject) => {
  hear = resolve;
  setTimeout(() => reject(new Error("no list_changed after an edit")), PATIENCE).unref();
});
client.setNotificationHandler(ToolListChangedNotificationSchema, () => hear());
await client.connect(transport);
assert.equal(client.getServerVersion().name, "bookshop");
assert.match(client.getInstructions(), /find_books/);

const { tools } = await client.listTools();
const find = tools.find((tool) => tool.name === "find_books");
assert.equal(find.inputSchema.properties.words.minLength, 2);
assert.deepEqual(find.inputSchema.required, ["words"]);

const found = await client.callTool({ name: "find_books", arguments: { words: "austen", limit: 2 } });
assert.ok(!found.isError);
assert.equal(found.structuredContent.rows.length, 2);
assert.equal(found.structuredContent.rows[0].author, "Jane Austen");
assert.deepEqual(JSON.parse(found.content[0].text), found.structuredContent);

const refused = await client.callTool({ name: "find_books", arguments: { words: "x" } });
assert.equal(refused.isError, true);
assert.match(refused.content[0].text, /words/);
await assert.rejects(client.callTool({ name: "no_such_tool" }), /no tool/);

const { resources } = await client.listResources();
assert.deepEqual(resources.map((resource) => resource.uri), ["shop://terms"]);
const { resourceTemplates } = await client.listResourceTemplates();
assert.equal(resourceTemplates.length, 2);
const terms = await client.readResource({ uri: "shop://terms" });
assert.match(terms.contents[0].text, /Terms of sale/);
const book = await client.readResource({ uri: "shop://books/4" });
assert.equal(JSON.parse(book.contents[0].text).title, "Emma");

assert.equal((await client.listPrompts()).prompts.length, 2);
const prompt = await client.getPrompt({ name: "recommend", arguments: { taste: "the sea" } });
assert.match(prompt.messages[0].content.text, /likes the sea/);
const argument = { name: "genre", value: "cr" };
const completed = await client.complete({ ref: { type: "ref/prompt", name: "recommend" }, argument });
assert.deepEqual(completed.completion.values, ["crime"]);

const added = `added_${process.pid}`;
const text = await readFile(spec, "utf8");
await writeFile(spec, text.replace("tools:\n", `tools:\n  ${added}: { text: hello }\n`));
await heard;
assert.ok((await client.listTools()).tools.some((tool) => tool.name === added));
assert.equal((await client.callTool({ name: added })).content[0].text, "hello");

if (door === "--http") await transport.terminateSession();
await client.close();

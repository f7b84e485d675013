// The MCP Inspector's CLI against the bookshop, in the era that is named:
// `node inspector.mjs legacy|modern CLI TARGET...`, where TARGET is a URL or a command.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";

const [era, cli, ...target] = process.argv.slice(2);

/** The exit code and the JSON that the Inspector prints. */
function inspect(...words) {
  const options = ["--cli", ...target, "--protocol-era", era, "--format", "json", "--quiet", ...words];
  const run = spawnSync(process.execPath, [cli, ...options], { encoding: "utf8", timeout: 60_000 });
  assert.equal(run.error, undefined, String(run.error));
  try {
    return { code: run.status, result: JSON.parse(run.stdout) };
  } catch {
    throw new Error(`${words.join(" ")}: ${run.stdout}${run.stderr}`);
  }
}

/** The result of a request that goes well. */
function ask(...words) {
  const { code, result } = inspect(...words);
  assert.equal(code, 0, `${words.join(" ")}: ${JSON.stringify(result)}`);
  return result.result ?? result;
}

const { tools } = ask("--method", "tools/list");
assert.ok(tools.some((tool) => tool.name === "find_books"));

const call = ["--method", "tools/call", "--tool-name", "find_books", "--tool-arg"];
const found = ask(...call, "words=austen", "limit=2");
assert.equal(found.structuredContent.rows.length, 2);
const refused = inspect(...call, "words=x");
assert.notEqual(refused.code, 0);
assert.match(JSON.stringify(refused.result), /must have at least 2 characters/);

const { resources } = ask("--method", "resources/list");
assert.equal(resources[0].uri, "shop://terms");
assert.equal(ask("--method", "resources/templates/list").resourceTemplates.length, 2);
assert.match(ask("--method", "resources/read", "--uri", "shop://terms").contents[0].text, /Terms of sale/);
assert.equal(ask("--method", "prompts/list").prompts.length, 2);
const prompt = ask("--method", "prompts/get", "--prompt-name", "recommend", "--prompt-args", "taste=the sea");
assert.match(prompt.messages[0].content.text, /likes the sea/);

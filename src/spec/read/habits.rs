//! What people write who know another language: each word with what is meant by it here. Slips of the pen are not
//! here; those are found by their letters.

/// Other words for a key, or for something that stands elsewhere.
struct Habit {
    /// The records in which people write it.
    of: &'static [&'static str],
    /// The words, in small letters and without `_` and `-`.
    words: &'static [&'static str],
    /// The key that is meant, so that it is not called missing; empty if it is none of the record's own.
    meant: &'static str,
    /// What to do.
    remedy: &'static str,
}

const fn habit(
    of: &'static [&'static str],
    words: &'static [&'static str],
    meant: &'static str,
    remedy: &'static str,
) -> Habit {
    Habit { of, words, meant, remedy }
}

const ACTS: &[&str] = &["tool", "resource", "step", "data"];
const INPUTS: &[&str] = &["parameters", "parameter", "args", "arguments", "inputs", "input", "params"];

/// The remedy for a key that a record does not have.
pub fn remedy(what: &str, key: &str) -> Option<&'static str> {
    find(what, key).map(|habit| habit.remedy)
}

/// The record's own key that is meant.
pub fn meant(what: &str, key: &str) -> Option<&'static str> {
    find(what, key).map(|habit| habit.meant).filter(|meant| !meant.is_empty())
}

fn find(what: &str, key: &str) -> Option<&'static Habit> {
    let word: String = key.to_lowercase().chars().filter(|c| !matches!(c, '_' | '-')).collect();
    HABITS.iter().find(|habit| habit.of.contains(&what) && habit.words.contains(&word.as_str()))
}

/// What to do where nothing stands below a record's name: most often it is not indented far enough.
pub fn below(what: &str) -> Option<&'static str> {
    let named = ["tool", "resource", "prompt", "source", "server", "test", "data"];
    named.contains(&what).then_some("what belongs to it stands below it, further to the right")
}

/// How a record looks that is written as something else, or lacks what it needs.
pub fn shape(what: &str) -> Option<&'static str> {
    SHAPES.iter().find(|(name, _)| *name == what).map(|(_, shape)| *shape)
}

const SHAPES: &[(&str, &str)] = &[
    ("server", "write `server: { name: shop }`"),
    ("source", "write `{ sql: sqlite:./shop.db }`, `{ http: https://host }` or `{ mcp: { command: [program] } }`"),
    ("tool", "write `{ description: …, text: … }`, with the action that it is to run"),
    ("resource", "write `{ description: …, file: ./path }`, with the action that reads it"),
    ("prompt", "write `{ description: …, template: … }`"),
    ("spec", "write `server: { name: shop }`"),
    ("sql action", "write `sql: { source: name, query: … }`"),
    ("http action", "write `http: { request: GET https://host/path }`"),
    ("graphql action", "write `graphql: { source: name, query: … }`"),
    ("exec action", "write `exec: { command: [program, argument] }`"),
    ("shell action", "write `shell: { script: … }`"),
    ("mcp action", "write `mcp: { source: name, tool: name }`"),
    ("step", "write `{ call: tool, with: { … } }`, or an action"),
    ("result", "write `{ jq: … }` for the value, or `{ text: … }` for the words"),
    ("cache", "write `cache: { ttl: 60s }`"),
    ("rateLimit", "write `rateLimit: { requests: 10, per: 1m }`"),
    ("complete", "write `complete: { name: { values: [a, b] } }`"),
    ("content block", "write `{ type: text, text: … }`"),
    ("message", "write `{ role: user, text: … }`"),
    ("annotations", "write `annotations: { readOnlyHint: true }`"),
    ("import", "write `{ openapi: ./openapi.json }` or `{ mcp: source }`"),
    ("test", "write `{ call: tool, with: { … }, expect: { … } }`"),
];

const HABITS: &[Habit] = &[
    // Actions under other names.
    habit(&["tool", "resource"], INPUTS, "params", "write `params: { name: string }`"),
    habit(
        &["tool"],
        &["parameterschema", "inputparameters"],
        "inputSchema",
        "write `inputSchema: { type: object, properties: { … } }`",
    ),
    habit(
        &["tool", "resource", "step", "data", "prompt"],
        &["kind", "type", "action"],
        "",
        "the action's own key says what is done, such as `sql`, `http` or `exec`",
    ),
    habit(
        ACTS,
        &["source", "datasource", "connection", "database"],
        "",
        "it stands in the action: `sql: { source: name, query: … }`",
    ),
    habit(ACTS, &["statement", "query", "sqlquery"], "sql", "write `sql: { source: name, query: … }`"),
    habit(&["tool", "resource", "data"], &["run"], "exec", "write `exec: { command: [program, argument] }`"),
    habit(ACTS, &["command", "cmd", "program"], "exec", "write `exec: { command: [program, argument] }`"),
    habit(ACTS, &["script", "bash", "sh"], "shell", "write `shell: { script: … }`"),
    habit(
        &["tool", "step", "data"],
        &["url", "uri", "endpoint", "request", "method", "path", "fetch"],
        "http",
        "write `http: { request: GET https://host/path }`",
    ),
    habit(ACTS, &["headers", "body", "json"], "", "it stands in `http`, beside `request`"),
    habit(ACTS, &["template", "value", "contents"], "text", "write `text: …`"),
    habit(&["tool", "resource"], &["call"], "steps", "write `steps: [{ call: tool }]`"),
    habit(
        &["tool", "resource", "data"],
        &["return", "returns", "response", "output", "outputs", "results", "transform", "jq"],
        "result",
        "write `result: { jq: … }` for the value, or `result: { text: … }` for the words",
    ),
    habit(
        &["tool"],
        &["readonly", "destructive", "idempotent", "openworld"],
        "annotations",
        "it is a hint: `annotations: { readOnlyHint: true, destructiveHint: false }`",
    ),
    habit(&["tool", "prompt"], &["name", "id"], "", "the key under which this stands is the name"),
    habit(&["resource"], &["uri", "url", "uritemplate"], "", "the key under which this stands is the URI"),
    habit(
        ACTS,
        &["cache", "ratelimit", "concurrency", "maxrows", "maxbytes", "retry"],
        "",
        "it stands in the action, such as `sql` or `http`",
    ),
    // Inside actions.
    habit(
        &["http action"],
        &["url", "uri", "path", "method", "endpoint", "verb", "get", "post", "put", "delete", "patch"],
        "request",
        "write `request: GET https://host/path`, or `request: GET /path` with a `source`",
    ),
    habit(
        &["http action"],
        &["params", "parameters", "queryparams", "querystring"],
        "query",
        "write `query: { name: \"{{value}}\" }`, or `{?name}` in the request",
    ),
    habit(
        &["http action"],
        &["data", "payload", "requestbody", "content"],
        "json",
        "write `json: …`, `form: …` or `body: …`",
    ),
    habit(
        &["sql action", "http action", "exec action", "shell action", "graphql action", "mcp action", "file action"],
        &["result", "response", "output", "jq"],
        "",
        "`result` stands beside the action, not in it",
    ),
    habit(
        &["http action"],
        &["auth", "authorization", "token", "retry", "apikey"],
        "",
        "it is of a source: `sources: { api: { http: https://host, auth: { bearer: \"${TOKEN}\" } } }`",
    ),
    habit(&["sql action"], &["sql", "statement", "select", "text"], "query", "write `query: …`"),
    habit(
        &["sql action"],
        &["params", "parameters", "values", "bind", "bindings", "args", "arguments"],
        "",
        "`:name` in the query binds the param of that name; nothing else is needed",
    ),
    habit(
        &["sql action", "http action", "graphql action", "mcp action"],
        &["database", "connection", "db", "datasource", "server", "api"],
        "source",
        "write `source: name`",
    ),
    habit(&["sql action"], &["readonly"], "", "it is of the source: `{ sql: …, readOnly: true }`"),
    habit(&["sql action"], &["limit"], "maxRows", "write `maxRows: 100`"),
    habit(
        &["exec action", "mcp server"],
        &["args", "arguments", "argv", "params"],
        "",
        "each argument is an element of `command`: `[program, argument]`",
    ),
    habit(
        &["exec action"],
        &["cmd", "run", "program", "script"],
        "command",
        "write `command: [program, argument]`; a script goes into `shell`",
    ),
    habit(
        &["exec action", "shell action"],
        &["workdir", "workingdirectory", "directory", "dir"],
        "cwd",
        "write `cwd: …`",
    ),
    habit(
        &["exec action", "shell action", "mcp server"],
        &["environment", "envs", "vars"],
        "env",
        "write `env: { NAME: value }`",
    ),
    habit(&["exec action"], &["input"], "stdin", "write `stdin: …`"),
    habit(&["shell action"], &["command", "cmd", "run", "code"], "script", "write `script: …`"),
    habit(
        &["file action", "write action", "edit action"],
        &["name", "file", "filename", "uri"],
        "path",
        "write `path: …`",
    ),
    habit(&["mcp action", "step"], INPUTS, "with", "write `with: { name: value }`"),
    habit(&["mcp action"], &["name", "call"], "tool", "write `tool: name`"),
    // Steps.
    habit(
        &["step"],
        &["tool", "run", "use", "do"],
        "call",
        "write `call: tool`, beside `forEach` where it is repeated",
    ),
    habit(&["step"], &["name", "id", "register", "store", "save", "output"], "as", "write `as: name`"),
    habit(&["step"], &["if", "condition"], "when", "write `when: …`"),
    habit(&["step"], &["loop", "for", "items", "withitems", "each"], "forEach", "write `forEach: list`"),
    habit(
        &["step"],
        &["catch", "onfailure", "rescue"],
        "onError",
        "write `onError: continue`, or `onError: { call: tool }`",
    ),
    // Sources.
    habit(
        &["source"],
        &["url", "uri", "baseurl", "endpoint", "address"],
        "http",
        "write `http: https://host`, `sql: postgres://…` or `mcp: https://host/mcp`",
    ),
    habit(
        &["source"],
        &["dsn", "connectionstring", "databaseurl", "jdbc", "path"],
        "sql",
        "write `sql: \"postgres://user:${DB_PASSWORD}@host/database\"`, or `sql: sqlite:./shop.db`",
    ),
    habit(
        &["source"],
        &["host", "hostname", "port", "database", "dbname", "db", "user", "username", "password", "passwd"],
        "sql",
        "it stands in the URL: `sql: \"postgres://user:${DB_PASSWORD}@host:5432/database\"`",
    ),
    habit(
        &["source"],
        &["kind", "type", "driver", "engine", "dialect"],
        "",
        "the key of what is connected to says it: `sql`, `http`, `graphql` or `mcp`",
    ),
    habit(
        &["source"],
        &["command", "args", "transport", "env"],
        "mcp",
        "write `mcp: { command: [program, argument] }`",
    ),
    habit(
        &["source"],
        &["token", "bearer", "apikey", "bearertoken", "authorization", "authentication"],
        "",
        "write `auth: { bearer: \"${TOKEN}\" }`",
    ),
    habit(&["source"], &["name", "id"], "", "the key under which this stands is the name"),
    habit(&["auth"], &["token", "apitoken", "accesstoken"], "bearer", "write `bearer: \"${TOKEN}\"`"),
    habit(
        &["auth"],
        &["user", "username", "password", "login"],
        "basic",
        "write `basic: { username: …, password: \"${PASSWORD}\" }`",
    ),
    habit(&["auth"], &["header", "key"], "apiKey", "write `apiKey: { header: X-Api-Key, value: \"${API_KEY}\" }`"),
    habit(
        &["auth"],
        &["type", "kind", "scheme"],
        "",
        "the key says what it is: `bearer`, `basic`, `apiKey` or `oauth2`",
    ),
    // The top of a spec, and the server.
    habit(
        &["spec"],
        &["name", "version", "title", "instructions"],
        "server",
        "it stands in `server`: `server: { name: shop, version: 1.0.0 }`",
    ),
    habit(
        &["spec"],
        &["mcpservers", "servers"],
        "",
        "that is a client's; here another MCP server is a source: `sources: { shop: { mcp: { command: [program] } } }`",
    ),
    habit(
        &["spec"],
        &["connections", "databases", "datasources", "database"],
        "sources",
        "write `sources: { name: { sql: … } }`",
    ),
    habit(&["spec"], &["functions", "actions"], "tools", "write `tools: { name: { … } }`"),
    habit(
        &["spec"],
        &["openapi", "swagger", "paths"],
        "import",
        "this is no OpenAPI description; a spec names one: `import: [{ openapi: ./openapi.json }]`",
    ),
    habit(
        &["spec"],
        &["env", "environment", "variables", "vars"],
        "",
        "values from outside are written `${NAME}` where they are used",
    ),
    habit(&["server"], &["description", "about", "prompt"], "instructions", "write `instructions: …`"),
    habit(
        &["server"],
        &["port", "host", "transport", "http", "address", "stdio"],
        "",
        "the command line says where it is served: `mcp-declare serve SPEC --http 127.0.0.1:8000`",
    ),
    // Prompts, tests and the rest.
    habit(&["prompt"], INPUTS, "arguments", "write `arguments: { name: { required: true } }`"),
    habit(
        &["prompt"],
        &["text", "prompt", "content", "body", "instructions", "message"],
        "template",
        "write `template: …`, or `messages`",
    ),
    habit(&["message"], &["prompt", "body", "template", "value"], "text", "write `text: …`"),
    habit(&["test"], INPUTS, "with", "write `with: { name: value }`"),
    habit(&["test"], &["tool", "run"], "call", "write `call: tool`"),
    habit(&["test"], &["resource", "uri"], "read", "write `read: URI`"),
    habit(
        &["test"],
        &["expected", "result", "output", "assert", "equals", "returns"],
        "expect",
        "write `expect: { … }` for a part of the answer, `exact` for the whole, `text` for words",
    ),
    habit(&["test"], &["contains"], "text", "write `text: …`"),
    habit(&["result"], &["type", "format"], "as", "write `as: json`, or another form"),
    habit(&["result"], &["template", "handlebars", "message"], "text", "write `text: …`"),
    habit(
        &["result"],
        &["path", "select", "filter", "query", "jsonpath", "expression", "jmespath"],
        "jq",
        "write `jq: .name`",
    ),
    habit(&["rateLimit"], &["limit", "max", "count", "rate", "calls"], "requests", "write `requests: 10`"),
    habit(&["rateLimit"], &["interval", "window", "every", "period"], "per", "write `per: 1m`"),
    habit(&["cache"], &["duration", "time", "for", "maxage", "seconds"], "ttl", "write `ttl: 60s`"),
    habit(&["complete"], &["enum", "options", "choices", "suggestions"], "values", "write `values: [a, b]`"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_known_however_it_is_joined() {
        for word in ["baseUrl", "base_url", "base-url", "BASEURL"] {
            assert_eq!(meant("source", word), Some("http"), "{word}");
        }
        assert_eq!(meant("tool", "kind"), None);
        assert!(remedy("tool", "kind").is_some());
        assert_eq!(remedy("icon", "kind"), None);
    }

    #[test]
    fn no_word_stands_twice_for_one_record() {
        let all = HABITS.iter().flat_map(|h| h.of.iter().flat_map(|of| h.words.iter().map(move |word| (of, word))));
        let mut all: Vec<_> = all.collect();
        all.sort_unstable();
        let twice: Vec<_> = all.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert!(twice.is_empty(), "{twice:?}");
        assert!(all.iter().all(|(_, word)| word.chars().all(|c| c.is_ascii_lowercase())), "{all:?}");
    }
}

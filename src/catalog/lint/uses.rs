//! What is defined and used by nothing: most often a slip of the pen where it should be used. In doubt a name counts as
//! used.

use super::walk::{Found, strings};
use super::{Subject, entries};
use crate::spec::node::Entry;
use crate::spec::{Code, Diagnostic, Diagnostics, Node};

/// Keys whose strings hold names of params only behind a mark: `:name`, `$name`, `{name}`, `{{name}}`.
const MARKED: [&str; 9] =
    ["query", "statements", "text", "template", "request", "confirm", "script", "message", "body"];
/// Keys whose strings are names of sources.
const NAMING: [&str; 3] = ["source", "mcp", "graphql"];
/// Keys whose strings are for people.
const PROSE: [&str; 2] = ["description", "title"];

pub fn lint(subject: &Subject<'_>, sink: &mut Diagnostics) {
    sources(subject, sink);
    partials(subject, sink);
    for tool in subject.section("tools") {
        // A whole schema may be another's: its properties are not the author's words.
        if tool.value.get("inputSchema").is_none() {
            params(subject, tool, "params", "tool", Code::UnusedParam, sink);
        }
    }
    for resource in subject.section("resources") {
        params(subject, resource, "params", "resource", Code::UnusedParam, sink);
    }
    for prompt in subject.section("prompts") {
        params(subject, prompt, "arguments", "prompt", Code::UnusedParam, sink);
        params(subject, prompt, "data", "prompt", Code::UnusedData, sink);
    }
}

fn sources(subject: &Subject<'_>, sink: &mut Diagnostics) {
    let all = strings(subject.root);
    for source in subject.section("sources") {
        let name = &source.key.value;
        let exposed = source.value.get("expose").is_some();
        let used = all.iter().any(|found| NAMING.contains(&found.key()) && found.text.expose() == name);
        if !exposed && !used && !name.starts_with("x-") {
            let words = format!("nothing uses the source `{name}`");
            let found = Diagnostic::warning(Code::UnusedSource, source.key.span, words);
            sink.push(found.label(format!("name it in an action, as in `source: {name}`, or take it out")));
        }
    }
}

fn partials(subject: &Subject<'_>, sink: &mut Diagnostics) {
    let all = strings(subject.root);
    for partial in subject.section("partials") {
        let name = &partial.key.value;
        let own = |found: &Found<'_>| found.keys.starts_with(&["partials", name]);
        let texts = all.iter().filter(|found| !own(found)).map(|found| found.text.expose());
        let mut texts = texts.chain(subject.others.iter().copied());
        if !texts.any(|text| includes(text, name)) && !name.starts_with("x-") {
            let words = format!("nothing uses the partial `{name}`");
            let found = Diagnostic::warning(Code::UnusedPartial, partial.key.span, words);
            sink.push(found.label(format!("write `{{{{> {name}}}}}` where it belongs, or take it out")));
        }
    }
}

/// Whether a handlebars text has `{{> name`; a partial whose name is computed may be any.
fn includes(text: &str, name: &str) -> bool {
    text.split("{{").skip(1).any(|tag| {
        let tag = tag.trim_start_matches(['~', '#']).trim_start();
        let Some(partial) = tag.strip_prefix('>') else { return false };
        let partial = partial.trim_start();
        partial.starts_with('(') || word_at(partial, 0, name.len()) && partial.starts_with(name)
    })
}

/// Whether a command of the owner reads all the arguments at once, or another server gets them without `with`.
fn takes_all(owner: &Node) -> bool {
    let all = strings(owner);
    let reads = all.iter().any(|found| found.key() == "arguments" && found.below("stdin"));
    let calls = |found: &&Found<'_>| found.below("mcp") && matches!(found.key(), "tool" | "prompt");
    reads || all.iter().any(|found| calls(&found)) && !all.iter().any(|found| found.below("with"))
}

/// Reports the names below `key` that nothing else of their owner uses.
fn params(subject: &Subject<'_>, owner: &Entry, key: &str, what: &str, code: Code, sink: &mut Diagnostics) {
    if takes_all(&owner.value) {
        return;
    }
    let all = strings(&owner.value);
    let others = subject.section("partials").iter().flat_map(|partial| strings(&partial.value));
    let partials: Vec<String> = others.map(|found| found.text.expose().to_owned()).collect();
    let has_partials =
        all.iter().any(|found| found.text.expose().contains("{{>") || found.text.expose().contains("{{#>"));
    let has_files = all.iter().any(|found| matches!(found.key(), "file" | "image"));
    for entry in entries(&owner.value, key).1.iter().filter(|entry| !is_elsewhere(entry)) {
        let name = entry.key.value.as_str();
        let own = |found: &Found<'_>| found.keys.starts_with(&[key, name]);
        let mut texts = all.iter().filter(|found| !own(found) && !is_prose(found) && !is_schema(found, key));
        let used = texts.any(|found| uses_in(found, name))
            || has_partials && partials.iter().any(|text| uses(text, name, true))
            || (has_files || has_partials) && subject.others.iter().any(|text| uses(text, name, true));
        if !used {
            let noun = match code {
                Code::UnusedData => "data entry",
                _ if key == "arguments" => "argument",
                _ => "param",
            };
            let words = format!("nothing of {what} `{}` uses the {noun} `{name}`", owner.key.value);
            sink.push_once(Diagnostic::warning(code, entry.key.span, words).label("use it, or take it out"));
        }
    }
}

/// Whether a param is ignored, or is also a header (MCP's `x-mcp-header`), which those between read.
fn is_elsewhere(entry: &Entry) -> bool {
    entry.key.value.starts_with("x-") || entry.value.get("x-mcp-header").is_some()
}

/// Whether a string is the owner's own title or description.
fn is_prose(found: &Found<'_>) -> bool {
    found.keys.len() == 1 && PROSE.contains(&found.key())
}

/// Whether a string, or a key that leads to it, has a name.
fn uses_in(found: &Found<'_>, name: &str) -> bool {
    uses(found.text.expose(), name, MARKED.contains(&found.key()))
        || found.keys.iter().any(|key| key.contains("{{") && uses(key, name, true))
}

/// Whether a string is part of a param's schema, where names of other params mean nothing. What completes a param may
/// use them.
fn is_schema(found: &Found<'_>, key: &str) -> bool {
    key != "data" && found.keys.first() == Some(&key) && !found.below("complete")
}

/// Whether a text has a name: anywhere, or only where it is marked as one.
fn uses(text: &str, name: &str, marked: bool) -> bool {
    let whole = ["{{this}}", "{{json this", "{{json}}", "@root", "{{#each this", "{{.}}"];
    if whole.iter().any(|all| text.contains(all)) {
        return true;
    }
    let found = text.match_indices(name).map(|(at, _)| at);
    found.into_iter().any(|at| word_at(text, at, name.len()) && (!marked || is_marked(text.get(..at).unwrap_or(""))))
}

/// Whether what stands at `at` is a word of its own.
fn word_at(text: &str, at: usize, length: usize) -> bool {
    let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let after = text.get(at + length..).and_then(|t| t.chars().next());
    !part(before) && !part(after)
}

/// Whether a name behind this text is marked as one.
fn is_marked(before: &str) -> bool {
    let open = before.rfind('{').is_some_and(|at| before.rfind('}').is_none_or(|end| end < at));
    open || before.ends_with([':', '$', '@'])
}

#[cfg(test)]
mod tests {
    use super::{includes, uses};

    #[test]
    fn a_name_is_used_where_it_is_marked() {
        for used in
            [":id", "a = :id;", "$id", "\"${id}\"", "/x/{id}", "{?q,id}", "{{id}}", "{{#if (gt id 3)}}", "{{@root}}"]
        {
            assert!(uses(used, "id", true), "{used}");
        }
        for unused in ["SELECT id FROM t", ":idea", "{x} id", "hidden :bid"] {
            assert!(!uses(unused, "id", true), "{unused}");
        }
        assert!(uses("id", "id", false));
    }

    #[test]
    fn a_partial_is_used_by_its_name() {
        for used in ["{{> line}}", "{{>line book}}", "{{~> line}}", "{{#> line}}x{{/line}}", "{{> (lookup . 'x')}}"] {
            assert!(includes(used, "line"), "{used}");
        }
        assert!(!includes("{{> lines}} line {{line}}", "line"));
    }
}

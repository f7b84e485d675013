//! Names: of tools, as MCP allows them, and of params, as templates can hold them.

use std::collections::HashSet;

use super::operation::Operation;

/// Characters that a tool's name may have.
const MAX_NAME: usize = 64;
/// Words that mean something else in a template.
const RESERVED: [&str; 8] = ["caller", "this", "true", "false", "null", "undefined", "else", "value"];

/// The name of an operation's tool, without a prefix: its `operationId`, or its method and path.
pub fn of_operation(operation: &Operation<'_>) -> String {
    match operation.id {
        Some(id) => id.to_owned(),
        None => format!("{}{}", operation.method.to_ascii_lowercase(), operation.path),
    }
}

/// The nearest name that MCP allows: `repos/get` is `repos_get`.
pub fn tool(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    for c in name.chars() {
        let sound = c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        match (sound, made.ends_with('_')) {
            (true, _) => made.push(c),
            (false, false) => made.push('_'),
            (false, true) => {}
        }
    }
    let made = made.trim_matches('_');
    if made.is_empty() { "operation".to_owned() } else { made.chars().take(MAX_NAME).collect() }
}

/// A name that none of `taken` is, and now is: with a number behind it where there was one.
pub fn unique(name: String, taken: &mut HashSet<String>) -> String {
    let mut made = name.clone();
    let mut number = 1_usize;
    while !taken.insert(made.clone()) {
        number += 1;
        let end = format!("_{number}");
        let start: String = name.chars().take(MAX_NAME.saturating_sub(end.len())).collect();
        made = start + &end;
    }
    made
}

/// The name of a param: letters, digits and `_`, so that any template can hold it.
pub fn param(name: &str) -> String {
    let mut made = String::with_capacity(name.len());
    for c in name.chars() {
        match (c.is_ascii_alphanumeric() || c == '_', made.ends_with('_')) {
            (true, _) => made.push(c),
            (false, false) => made.push('_'),
            (false, true) => {}
        }
    }
    let kept = if name.ends_with('_') { made.as_str() } else { made.trim_end_matches('_') };
    let kept = if name.starts_with('_') { kept } else { kept.trim_start_matches('_') };
    let kept: String = kept.chars().take(MAX_NAME).collect();
    match kept.chars().next() {
        None => "param".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("_{kept}"),
        Some(_) if RESERVED.contains(&kept.as_str()) => format!("{kept}_"),
        Some(_) => kept,
    }
}

/// The name of a source or a scheme of URIs: small letters, digits and one character between them.
pub fn slug(text: &str, between: char) -> String {
    let mut made = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        match c.is_ascii_alphanumeric() {
            true => made.push(c),
            false if !made.is_empty() && !made.ends_with(between) => made.push(between),
            false => {}
        }
    }
    let made: String = made.chars().take(40).collect();
    let made = made.trim_matches(between);
    match made.chars().next() {
        None => "api".to_owned(),
        Some(first) if first.is_ascii_digit() => format!("api{between}{made}"),
        Some(_) => made.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_what_mcp_and_templates_allow() {
        for (name, made) in [
            ("repos/get", "repos_get"),
            ("get/pets/{petId}", "get_pets_petId"),
            ("Löschen!!", "L_schen"),
            ("../../etc", "..__etc"),
            ("日本", "operation"),
        ] {
            assert_eq!(tool(name), made.replace("..__", ".._.._"), "{name}");
        }
        assert_eq!(tool(&"a".repeat(200)).len(), 64);
        for (name, made) in [
            ("filter[name]", "filter_name"),
            ("$top", "top"),
            ("X-Request-Id", "X_Request_Id"),
            ("2fa", "_2fa"),
            ("this", "this_"),
            ("caller", "caller_"),
            ("_id", "_id"),
            ("日本", "param"),
        ] {
            assert_eq!(param(name), made, "{name}");
        }
        assert_eq!(slug("GitHub v3 REST API", '_'), "github_v3_rest_api");
        assert_eq!(slug("3scale", '-'), "api-3scale");
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut taken = HashSet::new();
        let long = "x".repeat(64);
        assert_eq!(unique("a".to_owned(), &mut taken), "a");
        assert_eq!(unique("a".to_owned(), &mut taken), "a_2");
        assert_eq!(unique(long.clone(), &mut taken), long);
        let second = unique(long, &mut taken);
        assert!(second.len() == 64 && second.ends_with("x_2"), "{second}");
    }
}

//! The words of JSON Schema, and what their misspellings may have meant.

/// What the value of a keyword holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A schema, or in older drafts a list of them.
    Schema,
    /// A list of schemas.
    List,
    /// An object whose values are schemas.
    Named,
    /// No schema.
    Other,
}

/// The keywords of 2020-12, of draft-07 where they differ, of OpenAPI where they are common, and our own two.
const KEYWORDS: &[(Holds, &[&str])] = &[
    (
        Holds::Schema,
        &[
            "additionalProperties",
            "unevaluatedProperties",
            "unevaluatedItems",
            "items",
            "additionalItems",
            "contains",
            "propertyNames",
            "not",
            "if",
            "then",
            "else",
            "contentSchema",
        ],
    ),
    (Holds::List, &["allOf", "anyOf", "oneOf", "prefixItems"]),
    (Holds::Named, &["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"]),
    (
        Holds::Other,
        &[
            "$anchor",
            "$comment",
            "$dynamicAnchor",
            "$dynamicRef",
            "$id",
            "$recursiveAnchor",
            "$recursiveRef",
            "$ref",
            "$schema",
            "$vocabulary",
            "const",
            "contentEncoding",
            "contentMediaType",
            "default",
            "dependentRequired",
            "deprecated",
            "description",
            "discriminator",
            "enum",
            "enumNames",
            "example",
            "examples",
            "exclusiveMaximum",
            "exclusiveMinimum",
            "externalDocs",
            "format",
            "maxContains",
            "maxItems",
            "maxLength",
            "maxProperties",
            "maximum",
            "minContains",
            "minItems",
            "minLength",
            "minProperties",
            "minimum",
            "multipleOf",
            "nullable",
            "optional",
            "pattern",
            "readOnly",
            "required",
            "secret",
            "title",
            "type",
            "uniqueItems",
            "writeOnly",
            "xml",
        ],
    ),
];

/// Short forms and words of other products, in small letters, that are no misspelling and yet always mean one keyword.
/// Left alone they would be annotations, and their limit would hold nothing.
const SHORT: [(&str, &str); 14] = [
    ("min", "minimum"),
    ("max", "maximum"),
    ("minvalue", "minimum"),
    ("maxvalue", "maximum"),
    ("ge", "minimum"),
    ("le", "maximum"),
    ("gt", "exclusiveMinimum"),
    ("lt", "exclusiveMaximum"),
    ("minlen", "minLength"),
    ("maxlen", "maxLength"),
    ("regex", "pattern"),
    ("allowedvalues", "enum"),
    ("allowed_values", "enum"),
    ("excludedvalues", "not"),
];

/// The types of JSON Schema.
pub const TYPES: [&str; 7] = ["string", "integer", "number", "boolean", "array", "object", "null"];

/// What other languages call them.
const FOREIGN_TYPES: [(&str, &str); 16] = [
    ("int", "integer"),
    ("int32", "integer"),
    ("int64", "integer"),
    ("long", "integer"),
    ("bool", "boolean"),
    ("str", "string"),
    ("text", "string"),
    ("float", "number"),
    ("double", "number"),
    ("decimal", "number"),
    ("list", "array"),
    ("dict", "object"),
    ("map", "object"),
    ("hash", "object"),
    ("none", "null"),
    ("nil", "null"),
];

/// What `keyword` holds, if it is one.
pub fn holds(keyword: &str) -> Option<Holds> {
    KEYWORDS.iter().find(|(_, words)| words.contains(&keyword)).map(|(holds, _)| *holds)
}

/// The keyword that an unknown `word` is close to.
pub fn meant(word: &str) -> Option<&'static str> {
    if word.starts_with("x-") {
        return None;
    }
    let lower = word.to_lowercase();
    if let Some((_, keyword)) = SHORT.iter().find(|(short, _)| *short == lower) {
        return Some(keyword);
    }
    let words = KEYWORDS.iter().flat_map(|(_, words)| words.iter().copied());
    words.map(|w| (distance(&lower, w), w)).filter(|(d, w)| *d <= slack(w)).min().map(|(_, w)| w)
}

fn distance(lower: &str, keyword: &str) -> usize {
    strsim::osa_distance(lower, &keyword.to_lowercase())
}

/// How many letters may be wrong. The short words of logic are close to too many honest ones.
fn slack(keyword: &str) -> usize {
    match keyword {
        "not" | "if" | "then" | "else" | "xml" | "$id" => 0,
        _ if keyword.len() <= 6 => 1,
        _ => 2,
    }
}

/// How the schema is written of which an unknown type's `name` says more than a type.
pub fn form_for(name: &str) -> Option<String> {
    let lower = name.to_lowercase();
    let of = |name: &str| TYPES.iter().copied().find(|known| *known == name).or_else(|| meant_type(name));
    match lower.as_str() {
        "enum" => Some("{ enum: [a, b] }".to_owned()),
        "date" | "time" | "uuid" | "email" | "uri" | "ipv4" | "ipv6" | "hostname" => {
            Some(format!("{{ type: string, format: {lower} }}"))
        }
        "url" => Some("{ type: string, format: uri }".to_owned()),
        "datetime" | "date-time" | "timestamp" => Some("{ type: string, format: date-time }".to_owned()),
        _ => {
            let optional =
                lower.strip_suffix('?').and_then(of).map(|kind| format!("{{ type: {kind}, optional: true }}"));
            let list = || lower.strip_suffix("[]").and_then(of);
            optional.or_else(|| list().map(|kind| format!("{{ type: array, items: {{ type: {kind} }} }}")))
        }
    }
}

/// The type that an unknown `name` means.
pub fn meant_type(name: &str) -> Option<&'static str> {
    let lower = name.to_lowercase();
    let foreign = FOREIGN_TYPES.iter().find(|(foreign, _)| *foreign == lower).map(|(_, t)| *t);
    foreign.or_else(|| near(&lower, TYPES.iter().copied()))
}

/// The one of `known` that `name` is a slip of.
pub fn near<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let lower = name.to_lowercase();
    let close = known.map(|k| (distance(&lower, k), k));
    let allowed = if name.chars().count() <= 4 { 1 } else { 2 };
    close.filter(|(d, k)| *d <= allowed && *d < k.chars().count()).min().map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspelt_keywords_are_understood() {
        for (word, keyword) in [
            ("requred", "required"),
            ("minlength", "minLength"),
            ("maximun", "maximum"),
            ("tpye", "type"),
            ("Type", "type"),
            ("enums", "enum"),
            ("propertys", "properties"),
            ("additionalproperties", "additionalProperties"),
            ("item", "items"),
            ("ref", "$ref"),
            ("min", "minimum"),
            ("minValue", "minimum"),
            ("ge", "minimum"),
            ("allowedValues", "enum"),
            ("allowed_values", "enum"),
            ("excludedValues", "not"),
            ("NOT", "not"),
            ("defualt", "default"),
            ("one_of", "oneOf"),
        ] {
            assert_eq!(meant(word), Some(keyword), "{word}");
        }
    }

    #[test]
    fn words_of_their_own_are_left_alone() {
        for word in
            ["x-order", "x-type", "note", "unit", "when", "id", "name", "hint", "label", "order", "ui:widget", ""]
        {
            assert_eq!(meant(word), None, "{word}");
        }
    }

    #[test]
    fn every_keyword_stands_once() {
        let mut words: Vec<_> = KEYWORDS.iter().flat_map(|(_, words)| words.iter()).collect();
        let all = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all);
    }

    #[test]
    fn types_of_other_languages_are_understood() {
        for (name, expected) in [
            ("int", Some("integer")),
            ("Bool", Some("boolean")),
            ("text", Some("string")),
            ("strnig", Some("string")),
            ("dict", Some("object")),
            ("uuid", None),
        ] {
            assert_eq!(meant_type(name), expected, "{name}");
        }
    }
}

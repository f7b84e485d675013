//! Properties that hold for all templates and values.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Map, Value};
use uritemplate::{TemplateVar, UriTemplate as Oracle};

use super::{UriTemplate, percent};

type Values = Map<String, Value>;

/// Values whose names tell their shape: texts t0–t3, lists l0–l1, objects o0–o1; `None` is left out.
fn ascii_values() -> impl Strategy<Value = Values> {
    // no triplets in texts, which the oracle cuts apart, and no empty members, which it takes for none
    let text = || prop::option::of("([ -$&-~]|%[ G-Z]){0,8}");
    let list = prop::option::of(vec("[ -~]{1,5}", 0..4));
    // the oracle keeps reserved characters in keys
    let object = prop::option::of(btree_map("[a-z0-9 ._~-]{0,4}", "[ -~]{0,5}", 0..3));
    (vec(text(), 4), vec(list, 2), vec(object, 2)).prop_map(|(texts, lists, objects)| {
        let mut values = Map::new();
        let mut add =
            |kind: &str, n: usize, value: Option<Value>| value.map(|v| values.insert(format!("{kind}{n}"), v));
        for (n, text) in texts.into_iter().enumerate() {
            add("t", n, text.map(Value::from));
        }
        for (n, list) in lists.into_iter().enumerate() {
            add("l", n, list.map(Value::from));
        }
        for (n, object) in objects.into_iter().enumerate() {
            add("o", n, object.map(|o| o.into_iter().map(|(k, v)| (k, Value::from(v))).collect::<Map<_, _>>().into()));
        }
        values
    })
}

/// Any template over those names. Only texts have prefixes: the oracle ignores those of lists.
fn templates() -> impl Strategy<Value = String> {
    let name = prop_oneof!["t[0-3](:[1-9][0-9]?|\\*)?", "[lo][01]\\*?"];
    let expression =
        ("[+#./;?&]?", vec(name, 1..4)).prop_map(|(operator, names)| format!("{{{operator}{}}}", names.join(",")));
    vec(prop_oneof![expression, "[a-zA-Z0-9:/?=&.~!-]{0,5}"], 0..6).prop_map(|parts| parts.concat())
}

fn by_oracle(template: &str, values: &Values) -> String {
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let mut oracle = Oracle::new(template);
    for (name, value) in values {
        oracle.set(
            name,
            match value {
                Value::Array(list) => TemplateVar::List(list.iter().map(text).collect()),
                Value::Object(pairs) => {
                    TemplateVar::AssociativeArray(pairs.iter().map(|(k, v)| (k.clone(), text(v))).collect())
                }
                scalar => TemplateVar::Scalar(text(scalar)),
            },
        );
    }
    oracle.build()
}

/// Pieces after which it is always plain where a value ends; each takes the next of the names.
fn plain_template() -> impl Strategy<Value = (String, Values)> {
    let segment =
        prop_oneof![Just("/{N}"), Just("{/N}"), Just("/x/{N}/é"), Just("/a{;N,N*}"), Just("{/N,N}"), Just("/%7e")];
    let path = prop_oneof![3 => Just(""), 1 => Just("{/N*}")];
    let query = prop_oneof![Just(""), Just("{?N}"), Just("{?N,N*}{&N}"), Just("?fixed=1{&N*,N}"), Just("?q={N}&r={N}")];
    let fragment = prop_oneof![Just(""), Just("#{N}"), Just("#end")];
    (vec(segment, 0..5), path, query, fragment)
        .prop_flat_map(|(segments, path, query, fragment)| {
            let shape = format!("s://h{}{path}{query}{fragment}", segments.concat());
            let count = shape.matches('N').count();
            // no empty texts: those of segments have no match
            (Just(shape), vec(vec("(?s).{1,6}", 1..4), count))
        })
        .prop_map(|(shape, given)| with_names(&shape, given))
}

/// Gives every `N` a name of its own; exploded ones take the list, others its first text.
fn with_names(shape: &str, given: Vec<Vec<String>>) -> (String, Values) {
    let mut pieces = shape.split('N');
    let mut template = pieces.next().unwrap().to_owned();
    let mut values = Map::new();
    for (n, (piece, list)) in pieces.zip(given).enumerate() {
        template += &format!("v{n}{piece}");
        let value = if piece.starts_with('*') { Value::from(list) } else { Value::from(list[0].clone()) };
        values.insert(format!("v{n}"), value);
    }
    (template, values)
}

/// Templates in which a value may hold what stands after it.
fn loose_template() -> impl Strategy<Value = (String, Values)> {
    let piece = prop_oneof![
        Just("{N}-"),
        Just("{N}."),
        Just("a{N}ab"),
        Just("{.N}"),
        Just("{.N,N}"),
        Just("/{N,N}"),
        Just("/{N}"),
        Just("{/N}/"),
        Just("-")
    ];
    let open = prop_oneof![Just("/"), Just("/{+N}/"), Just("{/N*}/a"), Just("/{+N}a")];
    let end = prop_oneof![Just(""), Just("?{N}"), Just("{?N}"), Just("{#N}"), Just("{?N}{#N}")];
    (vec(piece.clone(), 0..4), open, vec(piece, 0..4), end)
        .prop_flat_map(|(before, open, after, end)| {
            let shape = format!("{}{open}{}{end}", before.concat(), after.concat());
            let count = shape.matches('N').count();
            (Just(shape), vec(vec("[ab./,é -]{1,6}", 1..3), count))
        })
        .prop_map(|(shape, given)| with_names(&shape, given))
}

proptest! {
    #[test]
    fn expands_as_the_oracle_does(template in templates(), values in ascii_values()) {
        let ours = UriTemplate::parse(&template).unwrap().expand(&values);
        prop_assert_eq!(ours, by_oracle(&template, &values), "{}", template);
    }

    #[test]
    fn a_match_gives_back_what_was_expanded((template, values) in plain_template()) {
        let parsed = UriTemplate::parse(&template).unwrap();
        let uri = parsed.expand(&values);
        prop_assert_eq!(parsed.matcher().unwrap().matches(&uri), Some(values), "{} {}", template, uri);
    }

    #[test]
    fn every_expansion_is_matched_by_values_that_expand_to_it((template, values) in loose_template()) {
        let parsed = UriTemplate::parse(&template).unwrap();
        if let Ok(matcher) = parsed.matcher() {
            let uri = parsed.expand(&values);
            let found = matcher.matches(&uri);
            prop_assert!(found.is_some(), "{} {}", template, uri);
            // a value that began as `+` may end as another, which encodes more
            let again = parsed.expand(&found.unwrap());
            prop_assert_eq!(percent::decode(&again), percent::decode(&uri), "{}", template);
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused_at_a_place_in_it(text in "[{}a%0-9:*,.+/?é =\u{0}]{0,20}") {
        match UriTemplate::parse(&text) {
            Ok(template) => {
                let values = template.variables().map(|v| (v.name.to_owned(), Value::from("é/%"))).collect();
                let uri = template.expand(&values);
                prop_assert!(uri.is_ascii());
                let _ = template.matcher().map(|matcher| matcher.matches(&uri));
            }
            Err(fault) => prop_assert!(text.get(fault.range).is_some()),
        }
    }

    #[test]
    fn any_uri_is_matched_or_not(uri in "[/?#&;=%0-9a-fé.,-]{0,30}") {
        for template in ["{a}-{b}", "/{+a}.{b}{?c*,d}{#e}", "{/a*}{;b,c*}/{d}", "{a*}"] {
            let _ = UriTemplate::parse(template).unwrap().matcher().unwrap().matches(&uri);
        }
    }
}

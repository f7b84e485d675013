//! Properties: handlebars' own renderer agrees with ours where both have a say, and no text makes anything panic.

use handlebars::{Handlebars, no_escape};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{MAX, Partials, Template, blocks};

/// Text of a template in which `depth` blocks with a `this` of their own are around.
fn text(depth: usize, budget: u32) -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        "[a-z \n~.]{0,4}",
        Just("\n".to_owned()),
        Just("\\{{x}}".to_owned()),
        Just("{{! c }}".to_owned()),
        Just("  {{!-- c --}}  \n".to_owned()),
        path(depth).prop_map(|p| format!("{{{{{p}}}}}")),
        path(depth).prop_map(|p| format!("{{{{~ {p}}}}}")),
        path(depth).prop_map(|p| format!("{{{{{{{p}~}}}}}}").replace("}~}}}", "}}}")),
        path(depth).prop_map(|p| format!("{{{{#if (not (eq {p} 1))}}}}y{{{{/if}}}}")),
        Just("{{> plain}}".to_owned()),
        Just("\n  {{> plain}}\n".to_owned()),
        path(depth).prop_map(|p| format!("{{{{> given v={p}}}}}")),
    ];
    if budget == 0 {
        return leaf.boxed();
    }
    let inner = move |depth| proptest::collection::vec(text(depth, budget - 1), 0..3).prop_map(|parts| parts.concat());
    let condition = prop_oneof![Just("if"), Just("unless")];
    let gap = || prop_oneof![Just(""), Just("\n"), Just(" ")];
    prop_oneof![
        3 => leaf,
        1 => (condition, path(depth), path(depth), inner(depth), inner(depth), inner(depth), gap()).prop_map(
            |(c, p, q, a, b, d, g)| format!("{g}{{{{#{c} {p}}}}}{g}{a}{{{{else if {q}}}}}{b}{{{{else}}}}{g}{d}{{{{/{c}}}}}{g}")
        ),
        1 => (path(depth), inner(depth), gap()).prop_map(|(p, a, g)| format!("{g}{{{{#if {p}}}}}{g}{a}{g}{{{{/if}}}}{g}")),
        2 => (list(depth), inner(depth + 1), inner(depth), gap()).prop_map(|(p, a, b, g)| {
            format!("{g}{{{{#each {p}}}}}{g}{a}{{{{@index}}}}{{{{@last}}}}{g}{{{{else}}}}{b}{{{{/each}}}}{g}")
        }),
        1 => (list(depth), inner(depth + 1)).prop_map(|(p, a)| format!("{{{{#each {p} as |q i|}}}}{a}{{{{i}}}}{{{{q.x}}}}{{{{/each}}}}")),
        1 => (Just("o"), inner(depth + 1)).prop_map(|(p, a)| format!("{{{{#with @root.{p}}}}}{a}{{{{/with}}}}")),
    ]
    .boxed()
}

/// The path of something that both renderers show alike: no list, no object.
fn path(depth: usize) -> BoxedStrategy<String> {
    let name =
        prop_oneof![Just("x"), Just("y"), Just("zero"), Just("none"), Just("this.x"), Just("o.x"), Just("@root.x")];
    (name, 0..=depth)
        .prop_map(|(name, up)| match name {
            "@root.x" => name.to_owned(),
            "this.x" => "this.x".to_owned(),
            name => format!("{}{name}", "../".repeat(up)),
        })
        .boxed()
}

fn list(depth: usize) -> BoxedStrategy<String> {
    let name = prop_oneof![Just("xs"), Just("empty"), Just("o2"), Just("@root.xs"), Just("none")];
    (name, 0..=depth).prop_map(|(n, up)| if n.starts_with('@') { n.to_owned() } else { "../".repeat(up) + n }).boxed()
}

fn sample() -> Map<String, Value> {
    let item = |x: &str| json!({ "x": x, "y": 2.5, "xs": [{ "x": "deep" }], "o": { "x": true } });
    let value = json!({ "x": "ü<&>\n", "y": -3, "zero": 0, "o": { "x": "ox", "xs": [{}, {}] }, "o2": { "a": item("A"), "b": item("B") },
        "xs": [item("1"), item("2\n")], "empty": [] });
    super::data(value)
}

const PARTIALS: [(&str, &str); 2] = [("plain", "[{{x}}\n{{y}}]\n"), ("given", "{{v}}{{x}}{{#if v}}{{> plain}}{{/if}}")];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn agrees_with_handlebars(parts in proptest::collection::vec(text(0, 3), 0..5)) {
        let text = parts.concat();
        let mut partials = Partials::default();
        let mut engine = Handlebars::new();
        engine.register_escape_fn(no_escape);
        engine.set_prevent_indent(true);
        for (name, text) in PARTIALS {
            partials.add(name, text).unwrap();
            engine.register_partial(name, text).unwrap();
        }
        let ours = Template::compile(&text, &partials).map_err(|f| TestCaseError::fail(format!("{text}\n{f:?}")))?;
        engine.register_template_string("main", &text).unwrap();
        let theirs = engine.render("main", &sample()).unwrap();
        prop_assert_eq!(ours.render(&sample(), 1 << 20).unwrap(), theirs, "{}", text);
    }

    #[test]
    fn plain_texts_are_their_parts(parts in proptest::collection::vec(("[a-zü {\n]{0,5}x", "[a-c]"), 0..6)) {
        let data = super::data(json!({ "a": "A{{b}}", "b": [1, { "c": null }] }));
        let text: String = parts.iter().map(|(t, n)| format!("{t}{{{{{n}}}}}")).collect();
        let shown = |name: &str| match name { "a" => "A{{b}}", "b" => "[1,{\"c\":null}]", _ => "" };
        let expected: String = parts.iter().map(|(t, n)| format!("{t}{}", shown(n))).collect();
        prop_assume!(!text.contains("\\") && !parts.iter().any(|(t, _)| t.contains("{{")));
        prop_assert_eq!(super::compile(&text).render(&data, MAX).unwrap(), expected);
    }

    #[test]
    fn no_text_panics(parts in proptest::collection::vec(prop_oneof![
        "[ -~]{1,3}",
        proptest::sample::select(vec![
            "{{", "}}", "{{{", "}}}", "~", "{{#", "{{/", "{{else", "{{else}}", "{{^}}", "{{^", "#if", "if ", " x", "/if}}", "{{#if x}}", "{{/if}}",
            "{{#each xs}}", "{{/each}}", "(", ")", "\"", "'", "\\", "\\{{", "{{!", "--", "--}}", "{{!--", "{{>", "> p", "@", "@root", "@index", "../", ".",
            "/", "this", "[", "]", "|", " as |a b|", "=", "k=", "1", "-1.5e3", "true", "null", "{\"a\":1}", "[1,2]", "{{{{", "}}}}", "ü", "\n", "&", "*",
            "upper ", "json ", "eq ", "x}}", "{{x", "{{~", "~}}", "else if x}}", "ident x", "$", ":", "\u{a0}",
        ]).prop_map(str::to_owned),
    ], 0..14)) {
        let text = parts.concat();
        let mut partials = Partials::default();
        let _ = partials.add("p", "{{x}}");
        for range in Template::compile(&text, &partials).err().into_iter().flatten().map(|f| f.range)
            .chain(blocks(&text).err().into_iter().flatten().map(|f| f.range)) {
            prop_assert!(text.get(range.clone()).is_some(), "{:?} of {:?}", range, text);
        }
        if let Ok(template) = Template::compile(&text, &partials) {
            for name in template.names() {
                prop_assert!(text.get(name.range.clone()).is_some());
            }
            let _ = template.render(&sample(), MAX);
        }
    }
}

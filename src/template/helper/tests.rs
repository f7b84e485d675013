use super::*;
use crate::template::{Partials, Template};
use serde_json::{Map, json};

fn render(text: &str, x: Value) -> Result<String, String> {
    let template = Template::compile(text, &Partials::default()).unwrap_or_else(|f| panic!("{text}: {f:?}"));
    let data = Map::from_iter([("x".to_owned(), x), ("y".to_owned(), json!("y"))]);
    template.render(&data, 1000).map_err(|fault| fault.to_string())
}

fn holds(call: &str, x: Value) -> bool {
    let shown = render(&format!("{{{{{call}}}}}"), x.clone()).unwrap();
    let branch = render(&format!("{{{{#if ({call})}}}}true{{{{else}}}}false{{{{/if}}}}"), x).unwrap();
    assert_eq!(shown, branch, "{call}");
    shown == "true"
}

#[track_caller]
fn gives(text: &str, x: Value, expected: &str) {
    assert_eq!(render(text, x).as_deref(), Ok(expected), "{text}");
}

#[track_caller]
fn fails(text: &str, x: Value, expected: &str) {
    assert_eq!(render(text, x).unwrap_err(), expected, "{text}");
}

#[test]
fn json_is_compact_or_pretty() {
    gives("{{json x}}", json!({ "b": [1, "ü"], "a": null }), r#"{"b":[1,"ü"],"a":null}"#);
    gives("{{json x}}", json!("a\"b"), r#""a\"b""#);
    gives("{{json x}}{{json nope}}", json!(null), "nullnull");
    gives("{{json x pretty=true}}", json!({ "a": [1] }), "{\n  \"a\": [\n    1\n  ]\n}");
    gives("{{json x pretty=false}}", json!([1, 2]), "[1,2]");
    gives("{{upper (json x)}}", json!(["a"]), r#"["A"]"#);
}

#[test]
fn join_puts_texts_together() {
    gives(r#"{{join x ", "}}"#, json!(["a", 1, null, true, [2], { "k": 3 }]), r#"a, 1, , true, [2], {"k":3}"#);
    gives("{{join x y}}", json!([1, 2]), "1y2");
    gives("{{join x ','}}", json!([]), "");
    gives("{{join x ','}}", json!(null), "");
    fails("{{join x ','}}", json!("abc"), "`join` needs a list, not a text");
    fails("{{join x nope}}", json!([1]), "`join` needs a text to put between, not nothing");
}

#[test]
fn default_is_for_what_is_not_given() {
    gives("{{default x 'd'}}", json!(null), "d");
    gives("{{default nope 3}}", json!(null), "3");
    gives("{{default nope (default x y)}}", json!(null), "y");
    for given in [json!(0), json!(false), json!("")] {
        assert_ne!(render("{{default x 'd'}}", given).unwrap(), "d");
    }
    gives("{{#each (default x y)}}{{this}};{{/each}}", json!([1, 2]), "1;2;");
}

#[test]
fn truncate_counts_characters() {
    gives("{{truncate x 3}}", json!("äöüß"), "äöü…");
    gives("{{truncate x 4}}", json!("äöüß"), "äöüß");
    gives("{{truncate x 0}}", json!("a"), "…");
    gives("{{truncate x 2}}{{truncate nope 2}}", json!(null), "");
    gives("{{truncate x 2}}", json!(12345), "12…");
    gives("{{truncate x 99999999999}}", json!("a"), "a");
    fails("{{truncate y x}}", json!(-1), "`truncate` needs a whole number of characters, not -1");
    fails("{{truncate y x}}", json!("2"), "`truncate` needs a number of characters, not a text");
}

#[test]
fn date_writes_a_time() {
    gives("{{date x '%d.%m.%Y'}}", json!("2026-11-21T04:12:33Z"), "21.11.2026");
    gives("{{date x '%H:%M'}}", json!(3_661), "01:01");
    gives("[{{date x '%Y'}}]", json!(null), "[]");
    fails("{{date x '%Y'}}", json!("tomorrow"), "`date` can't read this text as a time such as 2026-11-21T04:12:33Z");
    fails("{{date x '%Y'}}", json!([]), "`date` needs a time as RFC 3339 text or seconds since 1970, not a list");
    fails("{{date 0 x}}", json!(1), "`date` needs a pattern such as \"%Y-%m-%d\", not a number");
    fails("{{date 0 x}}", json!("%x"), "`date` doesn't know `%x`: there are %Y %m %d %H %M %S and %%");
}

#[test]
fn letters() {
    gives("{{upper x}}{{lower x}}", json!("aSß"), "ASSSasß");
    gives("[{{trim x}}]", json!(" \n ä b\t"), "[ä b]");
    gives("{{upper x}}{{lower x}}{{trim x}}", json!(null), "");
    gives("{{upper x}}", json!(true), "TRUE");
}

#[test]
fn equality_is_that_of_json() {
    assert!(holds("eq x 1", json!(1.0)));
    assert!(holds("eq x 9007199254740993", json!(9_007_199_254_740_993_i64)));
    assert!(!holds("eq x 9007199254740992", json!(9_007_199_254_740_993_i64)));
    assert!(!holds("eq x 1", json!("1")));
    assert!(holds("eq x nope", json!(null)));
    assert!(!holds("eq x ''", json!(null)));
    assert!(holds(r#"eq x {"b":2,"a":[1]}"#, json!({ "a": [1.0], "b": 2 })));
    assert!(!holds(r#"eq x {"a":1}"#, json!({ "b": 1 })));
    assert!(holds("ne x 'a'", json!("b")));
    assert!(!holds("ne x 'b'", json!("b")));
}

#[test]
fn order_is_of_like_with_like() {
    assert!(holds("gt x 1", json!(1.5)));
    assert!(!holds("gt x 1.5", json!(1.5)));
    assert!(holds("lt x 18446744073709551615", json!(-1)));
    assert!(holds("lt x 'b'", json!("a")));
    assert!(holds("gt x 9", json!("12.50")));
    assert!(holds("lt 9 x", json!("12.50")));
    assert!(!holds("gt x 1", json!(null)) && !holds("lt x 1", json!(null)) && !holds("gt 1 nope", json!(null)));
    fails("{{gt x 1}}", json!("ten"), "`gt` compares two numbers or two texts, not a text and a number");
    fails("{{lt x 1}}", json!("NaN"), "`lt` compares two numbers or two texts, not a text and a number");
    fails("{{lt x x}}", json!([1]), "`lt` compares two numbers or two texts, not a list and a list");
}

#[test]
fn logic_gives_booleans() {
    assert!(holds("and x y true", json!(1)));
    assert!(!holds("and x y false", json!(1)));
    assert!(!holds("and x y", json!(0)));
    assert!(holds("or x false y", json!(0)));
    assert!(!holds("or x nope", json!("")));
    assert!(holds("not x", json!([])));
    assert!(!holds("not x", json!("0")));
    assert!(holds("and (eq x 1) (not (gt x 1))", json!(1)));
}

#[test]
fn len_and_lookup() {
    for (x, n) in [(json!("äö"), "2"), (json!([1, 2, 3]), "3"), (json!({ "a": 1 }), "1"), (json!(null), "0")] {
        gives("{{len x}}", x, n);
    }
    fails("{{len x}}", json!(5), "`len` needs a text, a list or an object, not a number");
    gives("{{lookup x 1}}", json!(["a", "b"]), "b");
    gives("{{lookup x y}}", json!({ "y": { "z": 1 } }), r#"{"z":1}"#);
    gives("[{{lookup x 9}}{{lookup x -1}}{{lookup x 'a'}}{{lookup y 0}}]", json!([1]), "[]");
    gives("{{#with (lookup x 'a')}}{{b}}{{/with}}", json!({ "a": { "b": 2 } }), "2");
    gives("{{#each x}}{{lookup @root.x @index}}{{/each}}", json!([3, 4]), "34");
}

/// The docs have an example of each, and a test runs them all.
#[test]
fn each_helper_has_an_example_in_the_docs() {
    let examples: Vec<&str> =
        include_str!("../../../docs/templates.md").lines().filter_map(|line| Some(line.split_once(" → ")?.0)).collect();
    for (name, ..) in HELPERS {
        let calls = ["{{", "("].map(|open| format!("{open}{name} "));
        assert!(examples.iter().any(|line| calls.iter().any(|call| line.contains(call))), "{name}");
    }
    for block in BLOCKS {
        assert!(examples.iter().any(|line| line.contains(&format!("{{{{#{block} "))), "{block}");
    }
}

#[test]
fn near_names_are_offered() {
    assert_eq!(nearest("uper"), Some("upper"));
    assert_eq!(nearest("truncat"), Some("truncate"));
    assert_eq!(nearest("ech"), Some("each"));
    assert_eq!(nearest("capitalize"), None);
}

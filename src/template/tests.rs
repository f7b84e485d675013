//! Templates as a whole: what is refused, what is read, what comes out.

use serde_json::{Map, Value, json};

use super::*;

mod oracle;
mod refused;

const MAX: usize = 10_000;

fn data(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("not an object: {other}"),
    }
}

fn compile(text: &str) -> Template {
    with_partials(text, &[])
}

fn with_partials(text: &str, partials: &[(&str, &str)]) -> Template {
    let mut all = Partials::default();
    for (name, text) in partials {
        all.add(name, text).unwrap();
    }
    Template::compile(text, &all).unwrap_or_else(|faults| panic!("{text}: {faults:?}"))
}

fn render(text: &str, value: Value) -> String {
    compile(text).render(&data(value), MAX).unwrap_or_else(|fault| panic!("{text}: {fault}"))
}

fn failed(text: &str, value: Value) -> String {
    compile(text).render(&data(value), MAX).unwrap_err().to_string()
}

/// The names that a text reads, each checked to stand where it is said to.
fn names(text: &str) -> Vec<String> {
    let template = compile(text);
    let name = |n: &Name| {
        assert_eq!(&text[n.range.clone()], n.name, "{text}");
        n.name.clone()
    };
    template.names().iter().map(name).collect()
}

#[test]
fn shows_values_as_text_or_json() {
    let value = json!({ "s": "<a & 'b'>", "n": 1.50, "i": -7, "big": u64::MAX, "t": true, "f": false, "z": null,
        "l": [1, "x", null, [2]], "o": { "b": 1, "a": "ü\"" } });
    assert_eq!(render("{{s}}|{{{s}}}|{{&s}}", value.clone()), "<a & 'b'>|<a & 'b'>|<a & 'b'>");
    assert_eq!(render("{{n}} {{i}} {{big}} {{t}} {{f}}", value.clone()), "1.5 -7 18446744073709551615 true false");
    assert_eq!(render("[{{z}}{{nope}}{{o.nope.deeper}}{{s.nope}}]", value.clone()), "[]");
    assert_eq!(render("{{l}} {{o}}", value.clone()), r#"[1,"x",null,[2]] {"b":1,"a":"ü\""}"#);
    assert_eq!(render("{{l.1}} {{l.[3].0}} {{o.a}} {{o/b}} {{l.9}}", value), "x 2 ü\" 1 ");
}

#[test]
fn a_value_is_never_a_template() {
    let value = json!({ "s": "{{secret}}{{#each}}", "secret": "no", "l": ["{{secret}}"] });
    assert_eq!(
        render("{{s}} {{#each l}}{{this}}{{/each}} {{upper s}}", value),
        "{{secret}}{{#each}} {{secret}} {{SECRET}}{{#EACH}}"
    );
}

#[test]
fn absent_and_null_are_nothing_false_and_empty() {
    let text = "{{#if x}}a{{else}}b{{/if}}{{#unless x}}c{{/unless}}{{#each x}}d{{else}}e{{/each}}{{#each x}}f{{/each}}{{#with x}}g{{/with}}";
    for value in [json!({}), json!({ "x": null })] {
        assert_eq!(render(text, value), "bce");
    }
    for empty in [json!(0), json!(0.0), json!(""), json!([]), json!({}), json!(false)] {
        assert_eq!(render("{{#if x}}a{{else}}b{{/if}}", json!({ "x": empty })), "b", "{empty}");
    }
    for given in [json!(1), json!(-0.5), json!("0"), json!([0]), json!({ "a": null }), json!(true), json!(5e-324)] {
        assert_eq!(render("{{#if x}}a{{else}}b{{/if}}", json!({ "x": given })), "a", "{given}");
    }
    assert_eq!(
        render("{{#if x includeZero=true}}a{{/if}}{{#unless x includeZero=true}}b{{/unless}}", json!({ "x": 0 })),
        "a"
    );
}

#[test]
fn else_chains_take_the_first_that_holds() {
    let text = "{{#if a}}A{{else if b}}B{{else unless c}}C{{else}}{{#if d}}D{{else if e}}E{{/if}}{{/if}}";
    for (value, expected) in [
        (json!({ "a": 1, "b": 1 }), "A"),
        (json!({ "b": 1 }), "B"),
        (json!({}), "C"),
        (json!({ "c": 1, "d": 1 }), "D"),
        (json!({ "c": 1, "e": 1 }), "E"),
        (json!({ "c": 1 }), ""),
    ] {
        assert_eq!(render(text, value.clone()), expected, "{value}");
    }
    assert_eq!(names(text), ["a", "b", "c", "d", "e"]);
}

#[test]
fn loops_know_their_turn_and_what_is_around_them() {
    let value =
        json!({ "p": "€", "xs": [{ "t": "a", "ys": [1, 2] }, { "t": "b", "ys": [] }], "o": { "k": "v", "l": "w" } });
    assert_eq!(
        render(
            "{{#each xs}}{{@index}}{{t}}{{../p}}{{@root.p}}{{#if @first}}<{{/if}}{{#if @last}}>{{/if}}{{/each}}",
            value.clone()
        ),
        "0a€€<1b€€>"
    );
    assert_eq!(
        render(
            "{{#each xs}}{{#each ys}}{{@../index}}.{{@index}}{{../t}}{{../../p}}{{this}} {{else}}none{{t}}{{/each}}{{/each}}",
            value.clone()
        ),
        "0.0a€1 0.1a€2 noneb"
    );
    assert_eq!(render("{{#each o}}{{@key}}={{this}}{{#unless @last}},{{/unless}}{{/each}}", value.clone()), "k=v,l=w");
    assert_eq!(
        render(
            "{{#each xs as |x i|}}{{i}}{{x.t}}{{#each x.ys as |y|}}{{y}}{{x.t}}{{i}}{{/each}}{{/each}}",
            value.clone()
        ),
        "0a1a02a01b"
    );
    assert_eq!(render("{{#each o as |v k|}}{{k}}{{v}}{{/each}}", value.clone()), "kvlw");
    assert_eq!(render("{{#with o as |x|}}{{k}}{{x.l}}{{../p}}{{/with}}", value.clone()), "vw€");
    assert_eq!(render("{{#each xs}}{{#with this}}{{@index}}{{t}}{{../t}}{{/with}}{{/each}}", value), "0aa1bb");
}

#[test]
fn names_are_the_roots_that_are_read() {
    assert_eq!(names("{{#each books}}{{title}}{{this.x}}{{./y}}{{this}}{{@index}}{{/each}}"), ["books"]);
    assert_eq!(
        names("{{#each books}}{{../a}}{{@root.b.c}}{{#with ../d}}{{e}}{{../f}}{{../../g}}{{/with}}{{/each}}"),
        ["books", "a", "b", "d", "g"]
    );
    assert_eq!(names("{{a}} {{a.b}} {{this.c}} {{./d}} {{@root/e}} {{this}}"), ["a", "a", "c", "d", "e"]);
    assert_eq!(
        names(r#"{{default "a" (upper b)}}{{json c pretty=true}}{{join d "e"}}{{#if (and f (not g))}}{{/if}}"#),
        ["b", "c", "d", "f", "g"]
    );
    assert_eq!(names("{{#each xs as |x i|}}{{x.a}}{{i}}{{b}}{{/each}}{{x}}"), ["xs", "x"]);
    assert_eq!(names("{{#with this}}{{a}}{{/with}}{{#each xs}}{{else}}{{b}}{{/each}}"), ["a", "xs", "b"]);
    assert_eq!(names("{{#each (lookup o k)}}{{a}}{{/each}}"), ["o", "k"]);
    assert_eq!(names("{{this.this2}}{{@root.root}}{{thisx}}{{[a b]}}"), ["this2", "root", "thisx", "a b"]);
    assert_eq!(names("ü{{! x }}{{ü}}\n{{{ö}}}\\{{ä}}{{~ y ~}}"), ["ü", "ö", "y"]);
    assert_eq!(names("plain"), Vec::<String>::new());
}

#[test]
fn a_param_may_be_called_like_a_helper() {
    let value = json!({ "date": "d", "len": [1], "if": "i", "log": "l", "true": "t", "as": "s" });
    assert_eq!(render("{{date}}{{len len}}{{if}}{{log}}{{true}}{{as}}{{this.len.0}}", value), "d1ilts1");
    assert_eq!(names("{{date}}{{upper upper}}"), ["date", "upper"]);
    assert_eq!(compile("{{ lower }}").exact(), Some("lower"));
}

#[test]
fn tells_simple_templates_apart() {
    assert_eq!(compile("").is_literal(), Some(""));
    assert_eq!(compile(r"a\{{b}} }}{{! c }}d").is_literal(), Some("a{{b}} }}d"));
    assert_eq!(compile("a{{b}}").is_literal(), None);
    for (text, name) in [
        ("{{a}}", "a"),
        ("{{  a }}", "a"),
        ("{{{a}}}", "a"),
        ("{{this.a}}", "a"),
        ("{{@root.a}}", "a"),
        ("{{! x }}{{a}}", "a"),
    ] {
        assert_eq!(compile(text).exact(), Some(name), "{text}");
    }
    for text in [
        "",
        "a",
        " {{a}}",
        "{{a}} ",
        "{{a.b}}",
        "{{json a}}",
        "{{this}}",
        "{{#if a}}{{a}}{{/if}}",
        "{{a}}{{b}}",
        r"\{{a}}",
    ] {
        assert_eq!(compile(text).exact(), None, "{text}");
    }
    assert_eq!(compile("--a={{b}}c{{d}}").literal_prefix(), "--a=");
    assert_eq!(compile("{{b}}c").literal_prefix(), "");
    assert_eq!(compile("a{{! x }}b{{c}}").literal_prefix(), "ab");
    assert_eq!(compile("{{a.b.0}}").path().unwrap(), ["a", "b", "0"]);
}

#[test]
fn white_space_goes_as_in_handlebars() {
    assert_eq!(render("a\n  {{#if x}}\n  b\n  {{/if}}\nc", json!({ "x": 1 })), "a\n  b\nc");
    assert_eq!(render("a {{~ x ~}} b", json!({ "x": 1 })), "a1b");
    assert_eq!(render("a\n{{! gone }}\nb", json!({})), "a\nb");
    assert_eq!(render("{{#each xs}}- {{this}}\n{{/each}}", json!({ "xs": [1, 2] })), "- 1\n- 2\n");
}

#[test]
fn partials_see_the_place_they_are_put_in() {
    let partials = [
        ("line", "{{t}}/{{p}}{{@index}};"),
        ("outer", "<{{> inner}}>"),
        ("inner", "{{p}}"),
        ("hi", "hi "),
        ("args", "{{t}}{{n}}{{p}}"),
    ];
    let value = || data(json!({ "p": "P", "q": "Q", "xs": [{ "t": "a", "p": "x" }, { "t": "b" }] }));
    let render = |text: &str| with_partials(text, &partials).render(&value(), MAX).unwrap();
    assert_eq!(render("{{#each xs}}{{> line}}{{/each}}"), "a/x0;b/1;");
    assert_eq!(render("{{> outer}}{{> hi}}"), "<P>hi ");
    assert_eq!(render("{{> args xs.0 n=q t='T'}}"), "TQx");
    assert_eq!(render("{{> args n=(upper 'z')}}"), "ZP");
    assert_eq!(render("{{#each xs as |p|}}{{> inner}}.{{/each}}"), "x..");
    assert_eq!(render("  {{> args n='1\\n2'}}\nx"), "  1\n2Px");
    assert_eq!(with_partials("a{{> hi}}b", &partials).is_literal(), Some("ahi b"));
}

#[test]
fn names_of_partials_stand_at_their_tag() {
    let partials = [("p", "{{a}}{{> q b}}{{a}}{{#each c}}{{d}}{{/each}}"), ("q", "{{e}}{{@root.f}}{{g}}")];
    let names = |text: &str| -> Vec<_> {
        let template = with_partials(text, &partials);
        template.names().iter().map(|n| (n.name.clone(), text[n.range.clone()].to_owned())).collect()
    };
    let at = |name: &str, tag: &str| (name.to_owned(), tag.to_owned());
    assert_eq!(names("x {{> p}}"), ["a", "b", "c", "f"].map(|n| at(n, "{{> p}}")));
    assert_eq!(
        names("{{> p a=z}}"),
        [at("b", "{{> p a=z}}"), at("c", "{{> p a=z}}"), at("f", "{{> p a=z}}"), at("z", "z")]
    );
    assert_eq!(names("{{#each xs}}{{> q}}{{/each}}"), [at("xs", "xs"), at("f", "{{> q}}")]);
    assert_eq!(names("{{> q this}}"), ["e", "f", "g"].map(|n| at(n, "{{> q this}}")));
}

#[test]
fn output_stops_at_the_cap() {
    let too_long =
        |text: &str, value: Value, max| compile(text).render(&data(value), max) == Err(RenderFault::TooLong { max });
    assert!(too_long("abc", json!({}), 2));
    assert_eq!(compile("abc").render(&Map::new(), 3).unwrap(), "abc");
    assert!(too_long("{{x}}", json!({ "x": "äö" }), 3));
    assert!(too_long("{{x}}", json!({ "x": [1, 2, 3] }), 6));
    assert!(too_long("{{json x pretty=true}}", json!({ "x": [1] }), 6));
    assert!(too_long("{{#if (json x)}}{{/if}}", json!({ "x": "abcdef" }), 6));
    assert!(too_long("{{join x x.0}}", json!({ "x": ["abc", "def"] }), 8));
    let list: Vec<u32> = (0..100).collect();
    let text = "{{#each x}}{{#each ../x}}{{#each ../../x}}{{this}}{{/each}}{{/each}}{{/each}}";
    assert!(too_long(text, json!({ "x": list }), 100_000));
}

#[test]
fn loops_without_output_end_too() {
    let list: Vec<u32> = (0..1000).collect();
    let text = "{{#each x}}{{#each ../x}}{{#each ../../x}}{{/each}}{{/each}}{{/each}}";
    assert_eq!(failed(text, json!({ "x": list })), "the loops took more than 1000000 turns");
    let text = "{{#each x}}{{#if (eq (join ../x '') 'y')}}{{/if}}{{/each}}";
    let long: Vec<String> = (0..3000).map(|_| "z".repeat(1000)).collect();
    let fault = compile(text).render(&data(json!({ "x": long })), usize::MAX).unwrap_err();
    assert_eq!(fault.to_string(), "the loops took more than 1000000 turns");
}

#[test]
fn loops_that_read_a_large_value_again_and_again_end_too() {
    let turns = vec![1; 200_000];
    let (text, tree) = ("z".repeat(1 << 20), vec![vec![1; 10_000]; 10]);
    let data = data(
        json!({ "xs": turns, "text": text, "same": text, "tree": tree, "again": tree, "none": vec![""; 100_000] }),
    );
    for condition in ["(len ../text)", "(gt ../text ../same)", "(ne ../tree ../again)", "(eq (join ../none '') 'x')"] {
        let text = format!("{{{{#each xs}}}}{{{{#if {condition}}}}}{{{{/if}}}}{{{{/each}}}}");
        let begun = std::time::Instant::now();
        assert!(compile(&text).render(&data, MAX << 10).is_err(), "{condition}");
        assert!(begun.elapsed().as_secs() < 120, "{condition} took {:?}", begun.elapsed());
    }
    let small = "{{#each xs}}{{#if (eq (len ../tree) (len ../none))}}x{{/if}}{{/each}}";
    assert_eq!(compile(small).render(&data, MAX).unwrap(), "", "what is not read costs nothing");
}

#[test]
fn a_list_asked_for_a_field_is_a_mistake() {
    assert_eq!(
        failed("{{#if xs.length}}{{/if}}", json!({ "xs": [1] })),
        "`xs.length`: a list has no field `length`, only items by number"
    );
    assert_eq!(
        failed("{{#each xs}}{{title}}{{/each}}", json!({ "xs": [[1]] })),
        "`title`: a list has no field `title`, only items by number"
    );
}

#[test]
fn templates_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<Template>();
    shared::<Partials>();
    shared::<ValueTemplate>();
}

#[test]
fn what_comes_out_in_any_case_is_known() {
    let of = |text: &str| {
        let template = Template::compile(text, &Partials::default()).unwrap();
        (template.shown().collect::<Vec<_>>().join(" "), template.is_fixed())
    };
    assert_eq!(of("--a={{a}} {{b.c}}"), ("a b".to_owned(), false));
    assert_eq!(of("{{#if a}}{{a}}{{/if}}"), (String::new(), false));
    assert_eq!(of("{{#if a}}-v{{else}}{{#unless b}}-q{{/unless}}{{/if}}"), (String::new(), true));
    assert_eq!(of("{{#each a}}x{{/each}}"), (String::new(), false));
    assert_eq!(of("plain"), (String::new(), true));
}

//! What doesn't compile, where the fault is said to be, and in which words.

use super::*;

/// Each fault of `text` as `what stands there: message (help)`.
fn faults(text: &str, partials: &[(&str, &str)]) -> Vec<String> {
    let mut all = Partials::default();
    for (name, text) in partials {
        all.add(name, text).unwrap();
    }
    let faults = Template::compile(text, &all).expect_err(text);
    let line = |f: crate::spec::Fault| {
        let help = f.help.map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{}: {}{help}", &text[f.range], f.message)
    };
    faults.into_iter().map(line).collect()
}

#[test]
fn helpers() {
    assert_eq!(faults("{{uper x}}", &[]), ["uper: unknown helper `uper` (did you mean `upper`?)"]);
    assert!(faults("{{wibblewobble x}}", &[])[0].contains("(there are json, join, default,"));
    assert_eq!(faults("{{log 'x'}}", &[])[0].split(" (").next().unwrap(), "log: unknown helper `log`");
    assert_eq!(
        faults("{{a}} {{truncate x}}", &[]),
        ["truncate: `truncate` takes 2 values, not 1 (for example `{{truncate x 80}}`)"]
    );
    assert_eq!(
        faults("{{#if (and a)}}{{/if}}", &[]),
        ["and: `and` takes 2 to 16 values, not 1 (for example `{{#if (and a b)}}`)"]
    );
    assert_eq!(faults("{{upper a b}}", &[]), ["upper: `upper` takes 1 value, not 2 (for example `{{upper x}}`)"]);
    assert_eq!(faults("{{upper a pretty=true}}", &[]), ["pretty: `upper` has no setting `pretty`"]);
    assert_eq!(faults("{{json a pretty=1}}", &[]), ["pretty: `pretty` is written `true` or `false`"]);
    assert_eq!(faults("{{if a}}", &[]), ["if: `if` is a block, not a helper (write `{{#if …}} … {{/if}}`)"]);
    assert_eq!(faults("{{upper (lowr a)}}", &[]), ["lowr: unknown helper `lowr` (did you mean `lower`?)"]);
    assert_eq!(faults("{{(a)}}", &[])[0].split(" (").next().unwrap(), "a: unknown helper `a`");
    assert_eq!(faults("{{date x '%Q'}}", &[]), ["date: `date` doesn't know `%Q`: there are %Y %m %d %H %M %S and %%"]);
    assert_eq!(faults("{{truncate x 1.5}}", &[]), ["truncate: `truncate` needs a whole number of characters, not 1.5"]);
    assert_eq!(faults("{{join x 1}}", &[]), ["join: `join` needs a text to put between, not a number"]);
}

#[test]
fn blocks() {
    assert_eq!(faults("{{#if}}{{/if}}", &[]), ["if: `{{#if}}` takes 1 value, not 0 (for example `{{#if x}}`)"]);
    assert_eq!(
        faults("{{#each a b}}{{/each}}", &[]),
        ["each: `{{#each}}` takes 1 value, not 2 (for example `{{#each x}}`)"]
    );
    assert_eq!(
        faults("{{#books}}{{/books}}", &[]),
        [
            "books: unknown block `{{#books}}`: there are if, unless, each and with (for a value write `{{#each books}}`, `{{#if books}}` or `{{#with books}}`)"
        ]
    );
    assert!(faults("{{#eech x}}{{/eech}}", &[])[0].ends_with("(did you mean `{{#each}}`?)"));
    assert_eq!(
        faults("{{#upper x}}{{/upper}}", &[]),
        ["upper: `upper` is a helper, not a block (write `{{upper …}}`, or `{{#if (upper …)}}`)"]
    );
    assert_eq!(faults("{{#if a as |b|}}{{/if}}", &[]), ["{{#if a as |b|}}: `{{#if}}` takes no names behind `as`"]);
    assert_eq!(
        faults("{{#with a as |b c|}}{{/with}}", &[]),
        ["{{#with a as |b c|}}: `{{#with}}` takes one name behind `as`"]
    );
    assert_eq!(faults("{{#each a x=1}}{{/each}}", &[]), ["x: `{{#each}}` has no setting `x`"]);
    assert_eq!(faults("{{#if a}}{{else nope b}}{{/if}}", &[]).len(), 1);
}

#[test]
fn paths() {
    assert_eq!(faults("{{../a}}", &[]), ["../a: `../a` leads out of more blocks than there are"]);
    assert_eq!(
        faults("{{#each a}}{{../../b}}{{/each}}", &[]),
        ["../../b: `../../b` leads out of more blocks than there are"]
    );
    assert_eq!(faults("{{#if a}}{{../b}}{{/if}}", &[]).len(), 1);
    assert_eq!(faults("{{@index}}", &[]), ["@index: `@index` stands in no such `{{#each}}`"]);
    assert_eq!(faults("{{#each a}}{{@../index}}{{/each}}", &[]).len(), 1);
    assert_eq!(faults("{{#with a}}{{@first}}{{/with}}", &[]).len(), 1);
    assert_eq!(faults("{{@root}}", &[]), ["@root: `@root` needs a name behind it: `@root.title`"]);
    assert!(faults("{{#each a}}{{@level}}{{/each}}", &[])[0].starts_with("@level: unknown variable `@level`"));
}

#[test]
fn partials() {
    assert_eq!(
        faults("{{> foter}}", &[("footer", "")]),
        ["{{> foter}}: there is no partial `foter` (did you mean `footer`?)"]
    );
    assert_eq!(faults("{{> p}}", &[]), ["{{> p}}: there is no partial `p` (partials are declared under `partials:`)"]);
    assert_eq!(faults("{{> (lookup a b)}}", &[]), ["{{> (lookup a b)}}: the name of a partial has to be written out"]);
    assert_eq!(faults("{{> p a b}}", &[("p", "")]), ["{{> p a b}}: a partial takes 1 value at most, not 2"]);
    assert_eq!(
        faults("{{> p}}", &[("p", "{{uper x}}")]),
        ["{{> p}}: in the partial `p`: unknown helper `uper` (did you mean `upper`?)"]
    );
    assert_eq!(
        faults("{{> p}}", &[("p", "{{> q}}"), ("q", "{{> p}}")]),
        ["{{> p}}: in the partial `p`: the partial includes itself: `p` → `q` → `p`"]
    );
    assert_eq!(
        faults("{{> p}}", &[("p", "{{@index}}")]),
        ["{{> p}}: in the partial `p`: `@index` stands in no such `{{#each}}`"]
    );
    let out = faults("{{#each a}}{{> p}}{{/each}}", &[("p", "{{../b}}")]);
    assert_eq!(out, ["{{> p}}: in the partial `p`: `../b` leads out of the partial"]);
    assert_eq!(faults("{{> @partial-block}}", &[]), ["{{> @partial-block}}: partial blocks are not supported"]);
    assert!(Partials::default().add("p", "x {{#if}").unwrap_err().message.contains("not closed"));
}

#[test]
fn partials_are_checked_in_their_own_text() {
    let mut all = Partials::default();
    all.add("good", "{{a}}{{@index}}{{> bad}}").unwrap();
    all.add("bad", "{{a}} {{uper b}} {{> gone}}").unwrap();
    let found: Vec<_> = all.check().into_iter().map(|(name, f)| (name, f.range, f.message)).collect();
    assert_eq!(found[0], ("bad", 8..12, "unknown helper `uper`".to_owned()));
    assert_eq!(found[1].1, 17..27);
    assert_eq!(found.iter().filter(|f| f.0 == "good").count(), 2);
    assert_eq!(all.names().collect::<Vec<_>>(), ["bad", "good"]);
}

#[test]
fn partials_cannot_multiply_without_end() {
    let texts: Vec<(String, String)> =
        (0..30).map(|i| (format!("p{i}"), format!("x{{{{> p{n}}}}}{{{{> p{n}}}}}", n = i + 1))).collect();
    let mut all = Partials::default();
    for (name, text) in &texts {
        all.add(name, text).unwrap();
    }
    all.add("p30", "x").unwrap();
    let faults = Template::compile("{{> p0}}", &all).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.ends_with("too large with its partials put in"));
}

#[test]
fn nesting_is_bounded_across_partials() {
    let chain = |length: usize| {
        let mut all = Partials::default();
        for i in 0..length {
            all.add(&format!("p{i}"), &format!("{{{{#if a}}}}{{{{> p{}}}}}{{{{/if}}}}", i + 1)).unwrap();
        }
        all.add(&format!("p{length}"), "{{a}}").unwrap();
        Template::compile("{{> p0}}", &all)
    };
    assert_eq!(chain(31).unwrap().render(&data(json!({ "a": "deep" })), MAX).unwrap(), "deep");
    let faults = chain(40).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert!(faults[0].message.ends_with("blocks and partials nest deeper than 64 in all"), "{faults:?}");
}

#[test]
fn all_faults_are_told_at_once_and_in_order() {
    let text = "{{uper a}} {{#each b}}{{../../c}}{{lowr d x=(trm e)}}{{else}}{{@index}}{{/each}}{{> p}}{{truncate f}}";
    let found = faults(text, &[]);
    let places: Vec<_> = found.iter().map(|f| f.split(':').next().unwrap()).collect();
    assert_eq!(places, ["uper", "../../c", "lowr", "trm", "@index", "{{> p}}", "truncate"]);
}

#[test]
fn unsupported_syntax() {
    for (text, message) in [
        ("{{#*inline 'a'}}x{{/inline}}", "inline partials and decorators are not supported"),
        ("{{* deco}}", "decorators are not supported"),
        ("{{#> layout}}x{{/layout}}", "partial blocks `{{#> …}}` are not supported"),
        ("{{{{raw}}}}x{{{{/raw}}}}", "raw blocks `{{{{…}}}}` are not supported"),
        ("{{a | upper}}", "`{{a | upper}}` can't be read"),
        ("{{}}", "`{{}}` can't be read"),
        ("{{a", "this `{{` is not closed by `}}`"),
    ] {
        assert!(faults(text, &[])[0].contains(message), "{text}: {:?}", faults(text, &[]));
    }
}

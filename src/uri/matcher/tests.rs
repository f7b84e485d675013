use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Matcher;
use crate::uri::UriTemplate;

fn matcher(template: &str) -> Matcher {
    UriTemplate::parse(template).unwrap().matcher().unwrap_or_else(|fault| panic!("{template}: {fault:?}"))
}

/// Each row: a URI and its values as JSON, null for no match.
fn check(template: &str, rows: &[(&str, Value)]) {
    let matcher = matcher(template);
    for (uri, expected) in rows {
        let found = matcher.matches(uri).map_or(Value::Null, Value::Object);
        assert_eq!(found, *expected, "{template} against {uri}");
    }
}

#[test]
fn literals() {
    check("shop://info", &[("shop://info", json!({})), ("shop://info/", json!(null)), ("shop://inf", json!(null))]);
    check("", &[("", json!({})), ("x", json!(null))]);
    check(
        "a://café/x%2fy%7E",
        &[
            ("a://café/x%2fy%7E", json!({})),
            ("a://caf%C3%A9/x%2Fy~", json!({})),
            ("a://caf%c3%a9/x%2fy%7e", json!({})),
            ("a://caf%C3/x%2Fy~", json!(null)),
            ("a://café/x/y~", json!(null)),
        ],
    );
}

#[test]
fn simple_values() {
    check(
        "shop://books/{id}",
        &[
            ("shop://books/7", json!({"id": "7"})),
            ("shop://books/a%2Fb%20%C3%A9+c", json!({"id": "a/b é+c"})),
            ("shop://books/é, b", json!({"id": "é, b"})),
            ("shop://books/..", json!({"id": ".."})),
            ("shop://books/", json!(null)),
            ("shop://books", json!(null)),
            ("shop://books/7/", json!(null)),
            ("shop://books/7?x=1", json!(null)),
            ("shop://books/7#x", json!(null)),
            ("Shop://books/7", json!(null)),
            ("shop://books/%", json!(null)),
            ("shop://books/%f", json!(null)),
            ("shop://books/%zz", json!(null)),
            ("shop://books/%ff", json!(null)),
            ("shop://books/%C3é", json!(null)),
        ],
    );
    check(
        "{a}-{b}",
        &[("1-2-3", json!({"a": "1", "b": "2-3"})), ("-2", json!(null)), ("--2", json!({"a": "-", "b": "2"}))],
    );
    check(
        "{x,y}",
        &[("1,2", json!({"x": "1", "y": "2"})), ("1", json!(null)), ("1,2,3", json!({"x": "1", "y": "2,3"}))],
    );
    check("x{a}2F{b}", &[("x%2F2Fq", json!({"a": "/", "b": "q"})), ("x%2Fq", json!(null))]);
    check("{ids}", &[("1,2,3", json!({"ids": "1,2,3"}))]);
    check("{ids*}", &[("1,2%2C,3", json!({"ids": ["1", "2,", "3"]})), ("1,,3", json!(null))]);
    check("{n%61}", &[("1", json!({"n%61": "1"}))]);
}

#[test]
fn shorter_values_give_way_to_the_rest() {
    check("{+a}/x{b}", &[("p/x/q/xr", json!({"a": "p/x/q", "b": "r"})), ("p/x", json!(null))]);
    check("{a}.{b}/c", &[("1.2.3/c", json!({"a": "1", "b": "2.3"})), ("1.2/3.4/c", json!(null))]);
    check("{a}ab{b}ab", &[("abababab", json!({"a": "ab", "b": "ab"}))]);
}

#[test]
fn a_name_that_stands_twice() {
    check("/{a}/{a}", &[("/1/1", json!({"a": "1"})), ("/1/2", json!(null)), ("/%41/A", json!({"a": "A"}))]);
    check("/{a}{?a}", &[("/1?a=1", json!({"a": "1"})), ("/1?a=2", json!(null)), ("/1", json!({"a": "1"}))]);
    check("/{a}{?a*}", &[("/1?a=1", json!(null)), ("/1", json!({"a": "1"}))]);
}

#[test]
fn labels_and_paths() {
    check("www{.a,b}", &[("www.x.y", json!({"a": "x", "b": "y"})), ("www.x", json!(null)), ("www..y", json!(null))]);
    check("www{.dom*}", &[("www.a.b", json!({"dom": ["a", "b"]})), ("www", json!(null)), ("www.a..b", json!(null))]);
    check("x{/a,b}", &[("x/1/2", json!({"a": "1", "b": "2"})), ("x/1", json!(null)), ("x/1/2/3", json!(null))]);
    check(
        "file://docs{/path*}",
        &[
            ("file://docs/a/b%2Fc", json!({"path": ["a", "b/c"]})),
            ("file://docs/a", json!({"path": ["a"]})),
            ("file://docs/..", json!({"path": [".."]})),
            ("file://docs", json!(null)),
            ("file://docs/", json!(null)),
            ("file://docs/a//b", json!(null)),
            ("file://docs/a?b", json!(null)),
        ],
    );
    check("{/path*,last}", &[("/a/b/c", json!({"path": ["a", "b"], "last": "c"})), ("/a", json!(null))]);
    check("{/path*}/edit", &[("/a/edit/edit", json!({"path": ["a", "edit"]})), ("/edit", json!(null))]);
}

#[test]
fn reserved_values_and_fragments() {
    check("file:///{+path}", &[("file:///a/b%20c?d#e", json!({"path": "a/b c?d#e"})), ("file:///", json!(null))]);
    check(
        "file:///{+path}{?page}{#part}",
        &[
            ("file:///a/b?page=1#x/y", json!({"path": "a/b", "page": "1", "part": "x/y"})),
            ("file:///a/b#x", json!({"path": "a/b", "part": "x"})),
            ("file:///a/b?nope=1#x", json!(null)),
            ("file:///a/b#", json!(null)),
            ("file:///a/b", json!(null)),
        ],
    );
    check("x{#f*}", &[("x#a,b/c", json!({"f": ["a", "b/c"]}))]);
    check("{+a}?u={+b}", &[("x/y?u=http://z/?q", json!({"a": "x/y", "b": "http://z/?q"}))]);
    check("get?u={+u}", &[("get?u=http://z/?q#f", json!({"u": "http://z/?q#f"}))]);
}

#[test]
fn queries() {
    check(
        "/s{?q,page,tag*}",
        &[
            ("/s", json!({})),
            ("/s?q=a%26b", json!({"q": "a&b"})),
            ("/s?tag=x&page=2&tag=y&q=", json!({"q": "", "page": "2", "tag": ["x", "y"]})),
            ("/s?q=a/b?c=d", json!({"q": "a/b?c=d"})),
            ("/s?%71=1", json!({"q": "1"})),
            ("/s?q", json!({"q": ""})),
            ("/s?q=1&q=1", json!({"q": "1"})),
            ("/s?q=1&q=2", json!(null)),
            ("/s?q=1&other=2", json!(null)),
            ("/s?", json!(null)),
            ("/s?q=1&", json!(null)),
            ("/s?q=1#f", json!(null)),
            ("/s?q=%ff", json!(null)),
            ("/s&q=1", json!(null)),
        ],
    );
    check("/s{?ids}", &[("/s?ids=1,2", json!({"ids": "1,2"}))]);
    check("/s{?Stra%c3%9fe}", &[("/s?Straße=1", json!({"Stra%c3%9fe": "1"}))]);
    check("/s{?a}{&b}", &[("/s?b=2&a=1", json!({"a": "1", "b": "2"}))]);
    check("/s?v=1{&a}", &[("/s?v=1&a=2", json!({"a": "2"})), ("/s?v=1", json!({})), ("/s?a=2&v=1", json!(null))]);
    check("/s?a={a}&b={b}", &[("/s?a=x/y&b=2", json!({"a": "x/y", "b": "2"})), ("/s?a=1&b=2&c=3", json!(null))]);
    check("/s#{a}", &[("/s#x/y?z", json!({"a": "x/y?z"}))]);
}

#[test]
fn path_parameters() {
    check(
        "/m{;a,b*}/x{?q}",
        &[
            ("/m;b=2;a=1;b=3/x?q=4", json!({"a": "1", "b": ["2", "3"], "q": "4"})),
            ("/m;a/x", json!({"a": ""})),
            ("/m/x", json!({})),
            ("/m;c=1/x", json!(null)),
            ("/m;/x", json!(null)),
        ],
    );
    check("/{m}{;a}", &[("/x;a=1", json!({"m": "x", "a": "1"})), ("/x;b=1", json!(null))]);
    check("/m{;a}{;b}", &[("/m;b=2;a=1", json!({"a": "1", "b": "2"}))]);
}

#[test]
fn refuses_what_can_not_be_told_apart() {
    for (template, at, message) in [
        ("/{a}{b}/", "{a}{b}", "first of these values ends"),
        ("{a}{+b}", "{a}{+b}", "first of these values ends"),
        ("{/a}{b}", "{/a}{b}", "first of these values ends"),
        ("/ü{+a}/{+b}", "a}/{+b", "both may hold `/`"),
        ("{+a,b}", "a,b", "both may hold `/`"),
        ("{+a}{/b*}", "a}{/b", "both may hold `/`"),
        ("{/a*}/x{/b*}", "a*}/x{/b", "both may hold `/`"),
        ("{#a,b}", "a,b", "both may hold `/`"),
        ("{a*,b}", "{a*,b}", "where this list ends"),
        ("{.a*}{.b}", "{.a*}{.b}", "where this list ends"),
        ("x{a*},y", "{a*},y", "where this list ends"),
        ("{a:3}", "a:3", "prefix length"),
        ("{?a,b:10}", "b:10", "prefix length"),
        ("{?a}/x", "/x", "only a fragment"),
        ("{?a}{b}", "{b}", "only a fragment"),
        ("{?a}{?b}", "{?b}", "only a fragment"),
        ("{&a}{;b}", "{;b}", "only a fragment"),
        ("{;a}x", "x", "only `/`, `?` or `#`"),
        ("{;a}{b}", "{b}", "only `/`, `?` or `#`"),
        ("{;a}{&b}", "{&b}", "only `/`, `?` or `#`"),
    ] {
        let fault = UriTemplate::parse(template).unwrap().matcher().unwrap_err();
        assert_eq!(&template[fault.range], at, "{template}");
        assert!(fault.message.contains(message), "{template}: {}", fault.message);
    }
    for template in
        ["{+a}{#b}", "{+a}{?b}", "{/a*}{/b}", "{a}{/b}{.c}", "{+a}{/b}", "{a,b*}", "{;a}{/b}{;c}{?d}{&e}{#f}", "{?a}#x"]
    {
        matcher(template);
    }
}

#[test]
fn specificity_counts_the_template_s_own_characters() {
    for (template, length) in
        [("a/{x}", 2), ("a{/x}", 2), ("{x}", 0), ("{+x}", 0), ("%20é{?q}", 3), ("shop://books/new", 16)]
    {
        assert_eq!(matcher(template).literal_len(), length, "{template}");
    }
}

#[test]
fn hostile_uris_cost_no_more_than_their_length() {
    let long = 1 << 20;
    let started = Instant::now();
    for (template, uri) in [
        ("{a}-{b}-{c}-{d}!", "-".repeat(long)),
        ("{a}aa{b}aa{c}aa{d}aa{e}b", "a".repeat(long)),
        ("{+a}/{b}.{c}/{d}x", "/.".repeat(long / 2)),
        ("{/a*}/{b}/{c}/x", "/".repeat(long)),
        ("{a}%25{b}%25{c}!", "%25".repeat(long / 3)),
        ("{a}-{b}{;c}/{d}-{e}!", format!("{};c={}", "-".repeat(long / 2), ";/-".repeat(long / 6))),
        ("/x{?a,b*}", format!("/x?{}c", "b&".repeat(long / 2))),
        ("x{.a*}", ".".repeat(long)),
        ("{a}", "é".repeat(long / 2) + "/"),
    ] {
        assert!(matcher(template).matches(&uri).is_none(), "{template}");
    }
    assert_eq!(matcher("x://{a}").matches(&format!("x://{}", "é".repeat(long))).unwrap().len(), 1);
    // an unoptimised build takes about a second; what is not linear takes hours
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn many_variables_do_not_exhaust_the_stack() {
    let template: String = (0..256).map(|n| format!("/{{v{n}}}")).collect();
    let uri = "/x".repeat(256);
    assert_eq!(matcher(&template).matches(&uri).unwrap().len(), 256);
    assert!(matcher(&template).matches(&"/x".repeat(255)).is_none());
}

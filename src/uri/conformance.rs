//! What RFC 6570 says of every operator, shape of value and modifier, as tables.

use serde_json::{Value, json};

use super::UriTemplate;

fn values() -> Value {
    json!({
        "v": "a b!", "w": "6/7", "e": "", "half": "5%", "u": null,
        "l": ["r", "g b", "/"], "m": {"s": ";", "k": "/", "c": ","}, "nol": [], "nom": {},
        "n": 6, "f": -122.5, "42": "answer", "1337": ["le", "et"], "last.name": "Doe", "a_b.c_1": "deep",
        "Some%20Thing": "foo", "Stra%C3%9Fe": "Grüner Weg", "greek": "αβγ", "euro": "€uro", "clef": "𝄞x",
        "all": "šöäŸœñê€£¥‡", "odd": {"ê€": "Ö×"}, "base": "http://h.example/home/", "path": "/foo/bar",
        "done": "a%2F", "notpct": "%foo", "dones": ["r%25", "%2Fg", "b "], "donem": {"k": "v%2F"},
    })
}

fn check(rows: &[(&str, &str)]) {
    let values = values();
    for (template, uri) in rows {
        let parsed = UriTemplate::parse(template).unwrap_or_else(|fault| panic!("{template}: {fault:?}"));
        assert_eq!(parsed.expand(values.as_object().unwrap()), *uri, "{template}");
    }
}

#[test]
fn every_operator_with_every_shape() {
    let shapes = ["v", "v,e,u,w", "half", "w:2", "l", "l*", "m", "m*", "l*,w:1", "e", "u,nol,nol*,nom,nom*,missing"];
    #[rustfmt::skip]
    let table = [
        ("", ["a%20b%21", "a%20b%21,,6%2F7", "5%25", "6%2F", "r,g%20b,%2F", "r,g%20b,%2F",
              "s,%3B,k,%2F,c,%2C", "s=%3B,k=%2F,c=%2C", "r,g%20b,%2F,6", "", ""]),
        ("+", ["a%20b!", "a%20b!,,6/7", "5%25", "6/", "r,g%20b,/", "r,g%20b,/",
               "s,;,k,/,c,,", "s=;,k=/,c=,", "r,g%20b,/,6", "", ""]),
        ("#", ["#a%20b!", "#a%20b!,,6/7", "#5%25", "#6/", "#r,g%20b,/", "#r,g%20b,/",
               "#s,;,k,/,c,,", "#s=;,k=/,c=,", "#r,g%20b,/,6", "#", ""]),
        (".", [".a%20b%21", ".a%20b%21..6%2F7", ".5%25", ".6%2F", ".r,g%20b,%2F", ".r.g%20b.%2F",
               ".s,%3B,k,%2F,c,%2C", ".s=%3B.k=%2F.c=%2C", ".r.g%20b.%2F.6", ".", ""]),
        ("/", ["/a%20b%21", "/a%20b%21//6%2F7", "/5%25", "/6%2F", "/r,g%20b,%2F", "/r/g%20b/%2F",
               "/s,%3B,k,%2F,c,%2C", "/s=%3B/k=%2F/c=%2C", "/r/g%20b/%2F/6", "/", ""]),
        (";", [";v=a%20b%21", ";v=a%20b%21;e;w=6%2F7", ";half=5%25", ";w=6%2F", ";l=r,g%20b,%2F", ";l=r;l=g%20b;l=%2F",
               ";m=s,%3B,k,%2F,c,%2C", ";s=%3B;k=%2F;c=%2C", ";l=r;l=g%20b;l=%2F;w=6", ";e", ""]),
        ("?", ["?v=a%20b%21", "?v=a%20b%21&e=&w=6%2F7", "?half=5%25", "?w=6%2F", "?l=r,g%20b,%2F", "?l=r&l=g%20b&l=%2F",
               "?m=s,%3B,k,%2F,c,%2C", "?s=%3B&k=%2F&c=%2C", "?l=r&l=g%20b&l=%2F&w=6", "?e=", ""]),
        ("&", ["&v=a%20b%21", "&v=a%20b%21&e=&w=6%2F7", "&half=5%25", "&w=6%2F", "&l=r,g%20b,%2F", "&l=r&l=g%20b&l=%2F",
               "&m=s,%3B,k,%2F,c,%2C", "&s=%3B&k=%2F&c=%2C", "&l=r&l=g%20b&l=%2F&w=6", "&e=", ""]),
    ];
    for (operator, expected) in table {
        for (shape, uri) in shapes.iter().zip(expected) {
            check(&[
                (&format!("{{{operator}{shape}}}"), uri),
                (&format!("X{{{operator}{shape}}}Y"), &format!("X{uri}Y")),
            ]);
        }
    }
}

#[test]
fn expressions_among_literals() {
    check(&[
        ("'{v}'", "'a%20b%21'"),
        ("O{e}X", "OX"),
        ("?{w,e}", "?6%2F7,"),
        ("?{u,w}", "?6%2F7"),
        ("map?{n,w}", "map?6,6%2F7"),
        ("{base}index", "http%3A%2F%2Fh.example%2Fhome%2Findex"),
        ("{+base}index", "http://h.example/home/index"),
        ("here?ref={+path}", "here?ref=/foo/bar"),
        ("up{+path}{n}/here", "up/foo/bar6/here"),
        ("{+path,n}/here", "/foo/bar,6/here"),
        ("{+path:6}/here{#path:4}", "/foo/b/here#/foo"),
        ("{/n:1,n}", "/6/6"),
        ("{/l*,path:4}", "/r/g%20b/%2F/%2Ffoo"),
        ("www{.l*}{/n,u,e}", "www.r.g%20b.%2F/6/"),
        ("?fixed=yes{&n}", "?fixed=yes&n=6"),
        ("/user{/n}{?u,w}{&m*}", "/user/6?w=6%2F7&s=%3B&k=%2F&c=%2C"),
        ("/base{/u,n}/pages{/w}{?missing,f,v}", "/base/6/pages/6%2F7?f=-122.5&v=a%20b%21"),
        ("{n}{n}", "66"),
        ("café/{n}", "caf%C3%A9/6"),
        ("x%20y{n}z%2fw", "x%20y6z%2fw"),
    ]);
}

#[test]
fn names() {
    check(&[
        ("{42}{?42}", "answer?42=answer"),
        ("{1337}{?1337*}", "le,et?1337=le&1337=et"),
        ("{?last.name,a_b.c_1}", "?last.name=Doe&a_b.c_1=deep"),
        ("/t{/Some%20Thing}{?Stra%C3%9Fe}", "/t/foo?Stra%C3%9Fe=Gr%C3%BCner%20Weg"),
    ]);
}

#[test]
fn characters_beyond_ascii_and_triplets_in_values() {
    check(&[
        ("{all}", "%C5%A1%C3%B6%C3%A4%C5%B8%C5%93%C3%B1%C3%AA%E2%82%AC%C2%A3%C2%A5%E2%80%A1"),
        ("{?odd*}", "?%C3%AA%E2%82%AC=%C3%96%C3%97"),
        ("{greek:1}{+greek:2}{/greek:30}", "%CE%B1%CE%B1%CE%B2/%CE%B1%CE%B2%CE%B3"),
        ("{euro:1}{?euro:2}{#clef:1}", "%E2%82%AC?euro=%E2%82%ACu#%F0%9D%84%9E"),
        ("{v:9999}", "a%20b%21"),
        ("{done}{+done}{#done}", "a%252Fa%2F#a%2F"),
        ("{notpct}{+notpct}{#notpct}", "%25foo%25foo#%25foo"),
        ("{dones}/{+dones}", "r%2525,%252Fg,b%20/r%25,%2Fg,b%20"),
        ("{donem}{#donem*}", "k,v%252F#k=v%2F"),
    ]);
}

#[test]
fn what_is_not_a_template_is_refused() {
    for text in [
        "{/id*",
        "/id*}",
        "{/?id}",
        "{var:prefix}",
        "{a:2*}",
        "{;a:1*}",
        "{??a}",
        "{!a}",
        "{=a}",
        "{$a}",
        "{|a*}",
        "{*a?}",
        "{with space}",
        "{ leading}",
        "{trailing }",
        "{?a, b}",
        "{?a=default,b}",
        "{a}{-prefix|/-/|b}",
        "?c={a:color?}",
        "x{?a|b=none}",
        "/h{#a+}",
        "/h#{a+}",
        "?{-join|&|a,b}",
        "/people/{~a}",
        "/{a-b-c}",
        "/s{?a,b-c}",
        "/s{?a){&b-c*}",
        "{a:0}",
        "{a:01}",
        "{a:10000}",
        "{a:}",
        "{a.}",
        "{a..b}",
        "{%2x}",
        "{}",
        "{{a}}",
        "a}b",
        "a b",
        "%",
        "%4",
    ] {
        assert!(UriTemplate::parse(text).is_err(), "{text}");
    }
    // a prefix of a list or an object: only its value shows the fault, and it is left out
    check(&[("{m:1}{+m:1}{?l:1}", "")]);
}

use super::*;
use serde_json::json;

const LIMITS: JqLimits = JqLimits { time: Duration::from_secs(20), max_bytes: 1 << 20 };

async fn run(program: &str, input: Value) -> Result<Value, JqFault> {
    Jq::compile(program, &[]).unwrap_or_else(|e| panic!("{program}: {e:?}")).run(input, Vec::new(), LIMITS).await
}

async fn ok(program: &str, input: Value) -> Value {
    run(program, input).await.unwrap_or_else(|e| panic!("{program}: {e}"))
}

/// The faults as `text at fault: message (help)`.
fn faults(program: &str) -> Vec<String> {
    let faults = Jq::compile(program, &["$args"]).err().unwrap_or_default();
    let show = |f: Fault| {
        let help = f.help.map(|h| format!(" ({h})")).unwrap_or_default();
        format!("{}: {}{help}", &program[f.range], f.message)
    };
    faults.into_iter().map(show).collect()
}

#[tokio::test]
async fn no_output_is_null_one_is_itself_several_are_an_array() {
    assert_eq!(ok("empty", json!(1)).await, json!(null));
    assert_eq!(ok(".a", json!({"a": {"b": 1}})).await, json!({"b": 1}));
    assert_eq!(ok(".[]", json!([1, 2])).await, json!([1, 2]));
    assert_eq!(
        ok("{title, pages: .n}", json!({"title": "T", "n": 3, "x": 0})).await,
        json!({"title": "T", "pages": 3})
    );
}

#[tokio::test]
async fn knows_its_variables_in_order() {
    let jq = Jq::compile("[$a, $b, .]", &["$a", "$b"]).unwrap();
    assert_eq!(jq.run(json!(3), vec![json!(1), json!(2)], LIMITS).await, Ok(json!([1, 2, 3])));
    let missing = jq.run(json!(3), vec![json!(1)], LIMITS).await;
    assert_eq!(missing, Err(JqFault::Failed("it takes 2 variables, got 1".to_owned())));
}

#[tokio::test]
async fn numbers_survive() {
    let numbers = json!([i64::MAX, i64::MIN, u64::MAX, 0, -1, 1.5, 1.10, 5.0, 9_007_199_254_740_993_i64]);
    assert_eq!(ok(".", numbers.clone()).await.to_string(), numbers.to_string());
    assert_eq!(ok("{n: .[2]}", numbers).await, json!({"n": u64::MAX}));
    assert_eq!(ok("[1.10, 18446744073709551615]", json!(0)).await.to_string(), "[1.1,18446744073709551615]");
    assert_eq!(ok("\"\\(1.10)\"", json!(0)).await, json!("1.10"));
    assert_eq!(ok(". + 1", json!(i64::MAX)).await, json!(9_223_372_036_854_775_808_u64));
    assert_eq!(ok("100000000000000000000", json!(0)).await, json!(1e20));
    assert_eq!(ok("[nan, infinite, -infinite]", json!(0)).await, json!([null, null, null]));
}

#[tokio::test]
async fn objects_keep_their_order_and_text_its_characters() {
    let text = ok("{z: 1, a: .}", json!("ü\u{1F600}\u{0}\"")).await.to_string();
    assert_eq!(text, "{\"z\":1,\"a\":\"ü\u{1F600}\\u0000\\\"\"}");
}

#[tokio::test]
async fn the_standard_filters_work() {
    for (program, input, expected) in [
        ("map(select(. > 1)) | add", json!([1, 2, 3]), json!(5)),
        ("[recurse(if . < 3 then . + 1 else empty end)]", json!(0), json!([0, 1, 2, 3])),
        ("[limit(3; repeat(1))]", json!(0), json!([1, 1, 1])),
        ("[while(. < 3; . + 1)]", json!(0), json!([0, 1, 2])),
        ("until(. > 100; . * 2)", json!(1), json!(128)),
        ("[range(5; 0; -2)]", json!(0), json!([5, 3, 1])),
        ("[range(0; 1; 0.5)]", json!(0), json!([0, 0.5])),
        ("[range(3), range(3; 1)]", json!(0), json!([0, 1, 2])),
        ("to_entries", json!({"a": 1}), json!([{"key": "a", "value": 1}])),
        ("getpath([\"a\", \"b\"])", json!({"a": {"b": 7}}), json!(7)),
        ("path(recurse(.a?; . != null))", json!({"a": 1}), json!([[], ["a"]])),
        ("recurse(.a?; . != null) |= .", json!({"a": 1}), json!({"a": 1})),
        ("[splits(\", *\")]", json!("a, b"), json!(["a", "b"])),
        ("gsub(\"(?<x>[a-z])\"; .x + \"!\")", json!("ab"), json!("a!b!")),
        ("0 | todate", json!(0), json!("1970-01-01T00:00:00Z")),
        ("@csv", json!(["a\"b", 1, null, true]), json!("\"a\"\"b\",1,,true")),
        ("[.[] | @tsv]", json!([["a\tb", "\\\n", 1.5]]), json!(["a\\tb\t\\\\\\n\t1.5"])),
        ("@csv \"x: \\(.)\"", json!(["a"]), json!("x: \"a\"")),
        ("def f: def g: . + 1; g | g; f", json!(1), json!(3)),
        ("def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac", json!(20), json!(2_432_902_008_176_640_000_i64)),
        ("path(def f: .a; f)", json!(null), json!(["a"])),
        ("(def f: .a; f) |= 2", json!({"a": 1}), json!({"a": 2})),
        ("\"\\(def f: 1; f)\"", json!(0), json!("1")),
        ("{def: 1}", json!(0), json!({"def": 1})),
        ("walk(if type == \"number\" then . + 1 else . end)", json!([1, [2]]), json!([2, [3]])),
    ] {
        assert_eq!(ok(program, input).await, expected, "{program}");
    }
}

#[tokio::test]
async fn errors_tell_their_text() {
    let failed = |text: &str| Err(JqFault::Failed(text.to_owned()));
    assert_eq!(run("error(\"no \\\"such\\\" book\")", json!(1)).await, failed("no \"such\" book"));
    assert_eq!(run(".a", json!(1)).await, failed("cannot index 1 with \"a\""));
    assert_eq!(run("error({code: 3})", json!(1)).await, failed("{\"code\":3}"));
    assert_eq!(run("error(null)", json!(1)).await, failed("null"));
    assert!(matches!(run("1, error(\"x\")", json!(1)).await, Err(JqFault::Failed(_))));
    assert_eq!(run("@csv", json!([[1]])).await, failed("a row of @csv or @tsv cannot hold an array"));
    let Err(JqFault::Failed(long)) = run(".a", json!("ü".repeat(100_000))).await else { panic!() };
    assert!(long.len() <= MAX_ERROR + "…".len() && long.ends_with('…'), "{}", long.len());
    assert_eq!(run("tobytes", json!("a")).await, failed("the result holds bytes, which JSON cannot"));
    assert_eq!(run("{(1): 2}", json!("a")).await, failed("the result has an object key that is not a string"));
}

#[test]
fn what_reaches_outside_does_not_compile() {
    for (name, instead) in REFUSED_CALLS {
        let expected = format!("{name}: `{name}` is not available here ({instead})");
        let program = format!(". | {name}");
        assert_eq!(faults(&program), [expected], "{program}");
    }
    for call in ["halt(0)", "halt_error(1)", "debug(1)", "strflocaltime(\"%H\")"] {
        assert_eq!(faults(call).len(), 1, "{call}");
    }
    for hidden in ["debug_empty", "stderr_empty", "$__prog_args", "input_line_number", "$__loc__"] {
        assert!(!faults(hidden).is_empty(), "{hidden}");
    }
    for import in ["import \"a\" as a; .", "include \"a\"; .", "import \"/etc/passwd\" as $x; $x", "module {}; ."] {
        let expected = format!("{}: a program cannot import or include files", import.split(' ').next().unwrap());
        assert_eq!(faults(import), [expected]);
    }
}

use super::natives::REFUSED as REFUSED_CALLS;

#[test]
fn faults_point_at_their_place() {
    for (program, expected) in [
        (".a | mpa(.b)", "mpa: unknown filter `mpa` (did you mean `map`?)"),
        ("$arg.x", "$arg: unknown variable `$arg` (did you mean `$args`?)"),
        ("$nothing", "$nothing: unknown variable `$nothing`"),
        ("qwertyuiop", "qwertyuiop: unknown filter `qwertyuiop`"),
        ("map(.a; .b)", "map: `map` takes 1 arguments, separated by `;`, got 2"),
        ("range", "range: `range` takes 1 or 2 or 3 arguments, separated by `;`, got 0"),
        (".a | [.b, .c", "[: this `[` is never closed"),
        ("\"abc", "\": this `\"` is never closed"),
        (".a |", ": expected term, found the end of the program"),
        ("if . then 1", ": expected else or end, found the end of the program"),
        (".a ) .b", "): unexpected `)`"),
        (". as x | .", "x: expected pattern, found `x`"),
        ("1 (2)", "(: expected an operator or the end, found `(`"),
        ("\"\\q\"", "q: expected a string escape sequence, found `q`"),
        ("  ", "  : the program is empty (`.` gives the input as it is)"),
        ("", ": the program is empty (`.` gives the input as it is)"),
        ("break $out", "$out: unknown label `$out`"),
        ("a::b", "a: unknown module `a`"),
        ("ü", "ü: unexpected `ü`"),
    ] {
        assert_eq!(faults(program), [expected], "{program}");
    }
    assert_eq!(faults("foo1 | bar2").len(), 2);
    assert_eq!(faults(&" ".repeat(16_385)).len(), 1);
}

#[tokio::test]
async fn endless_programs_are_stopped_and_free_their_slot() {
    let limits = JqLimits { time: Duration::from_millis(100), ..LIMITS };
    for program in [
        "def f: f; f",
        "[repeat(1)]",
        "[range(0; infinite)] | length",
        "until(false; .)",
        "last(recurse(.))",
        "reduce range(1e12) as $i (0; . + $i)",
        "def f: try error(1) catch f; f",
        "def f: .[0]?, f; [f]",
        "first(repeat(1) | select(. == 2))",
        "[.[] | while(true; .)]",
        "def f: \"\\(def g: g; g)\"; f",
        "[paths(true)] | until(false; .)",
    ] {
        let jq = Jq::compile(program, &[]).unwrap();
        let mut result = Err(JqFault::Busy);
        while result == Err(JqFault::Busy) {
            result = jq.run(json!([1]), Vec::new(), limits).await;
        }
        assert_eq!(result, Err(JqFault::TimedOut), "{program}");
    }
    // twelve runaways on four slots: they were all given back
    let all = tokio::time::timeout(Duration::from_secs(60), FREE.acquire_many(4)).await;
    assert!(all.unwrap().is_ok());
}

#[tokio::test]
async fn a_program_for_which_no_slot_comes_free_is_not_started() {
    let _all = FREE.acquire_many(4).await.unwrap();
    let limits = JqLimits { time: Duration::from_millis(20), ..LIMITS };
    let result = Jq::compile(".", &[]).unwrap().run(json!(1), Vec::new(), limits).await;
    assert_eq!(result, Err(JqFault::Busy));
}

#[tokio::test]
async fn deep_recursion_is_an_error_and_not_a_crash() {
    let deep = Err(JqFault::Failed("the recursion is too deep".to_owned()));
    for program in ["def f: 1 + f; f", "def f: [f]; f", "def f: {a: f}; f", "[recurse(1 + recurse(.))]"] {
        let jq = Jq::compile(program, &[]).unwrap();
        let limits = JqLimits { time: Duration::from_secs(2), ..LIMITS };
        let result = jq.run(json!(1), Vec::new(), limits).await;
        assert!(
            result == deep || result == Err(JqFault::TimedOut) || result == Err(JqFault::TooLong),
            "{program}: {result:?}"
        );
    }
}

#[tokio::test]
async fn deep_data_is_walked() {
    let mut input = json!(1);
    for _ in 0..120 {
        input = json!([input]);
    }
    assert_eq!(ok("walk(.)", input.clone()).await, input);
    assert_eq!(ok("[.. | numbers]", input).await, json!([1]));
    let deep = run("reduce range(1000) as $i (.; [.])", json!(1)).await;
    assert_eq!(deep, Err(JqFault::Failed("the result is nested deeper than 128".to_owned())));
}

#[tokio::test]
async fn long_results_are_refused_while_they_grow() {
    let at = |max_bytes| JqLimits { max_bytes, ..LIMITS };
    for (program, input) in [
        (".", json!({"a": [1, 2.5, "x\"\u{1}\n"], "b": {}, "c": [], "d": null, "e": [true, false]})),
        (".[]", json!([1, "two", [3]])),
        (".", json!("")),
    ] {
        let jq = Jq::compile(program, &[]).unwrap();
        let size = jq.run(input.clone(), Vec::new(), LIMITS).await.unwrap().to_string().len();
        assert!(jq.run(input.clone(), Vec::new(), at(size)).await.is_ok(), "{program}");
        assert_eq!(jq.run(input, Vec::new(), at(size - 1)).await, Err(JqFault::TooLong), "{program}");
    }
    // small in jq's memory, since its parts are shared, and 2^40 values when written
    assert_eq!(run("reduce range(40) as $i (.; [., .])", json!(1)).await, Err(JqFault::TooLong));
    assert_eq!(run("repeat(1)", json!(1)).await, Err(JqFault::TooLong));
    let outputs = Jq::compile("range(200000)", &[]).unwrap();
    assert_eq!(outputs.run(json!(0), Vec::new(), at(usize::MAX)).await, Err(JqFault::TooLong));
}

#[tokio::test]
async fn hostile_nesting_in_a_program_does_not_crash() {
    let nested = |n: usize| {
        [
            format!("{}1{}", "(".repeat(n), ")".repeat(n)),
            format!("{}{}", "[".repeat(n), "]".repeat(n)),
            format!("{}1{}", "{a:".repeat(n), "}".repeat(n)),
            format!("{}1{}", "\"\\(".repeat(n), ")\"".repeat(n)),
            format!("{}1", "-".repeat(n)),
            format!("{}.", ".|".repeat(n)),
            format!("{}1", "1+".repeat(n)),
            format!("{}.", "try ".repeat(n)),
            format!("{}1{}", "if . then ".repeat(n), " end".repeat(n)),
            format!("{}1{}", "def f:".repeat(n), ";1".repeat(n)),
            format!("1{}", "?".repeat(n)),
            format!("1{}", "//1".repeat(n)),
            format!(".{}", "[0]".repeat(n)),
        ]
    };
    for program in
        nested(16_000).into_iter().chain(nested(8_000)).chain(nested(3_900)).chain(nested(1_900)).chain(nested(1_300))
    {
        if let Ok(jq) = Jq::compile(&program, &[]) {
            let _ = jq.run(json!(1), Vec::new(), LIMITS).await;
        }
    }
}

#[tokio::test]
async fn dropping_the_future_abandons_the_run() {
    let jq = Jq::compile("until(false; .)", &[]).unwrap();
    let run = jq.run(json!(1), Vec::new(), LIMITS);
    assert!(tokio::time::timeout(Duration::from_millis(50), run).await.is_err());
    assert!(tokio::time::timeout(Duration::from_secs(60), FREE.acquire_many(4)).await.is_ok());
}

#[test]
fn is_shared_between_threads() {
    fn check<T: Send + Sync + Clone>() {}
    check::<Jq>();
}

use super::*;
use crate::spec::load::{Input, load};
use crate::spec::{Code, Files};

/// The tree of a spec with these variables, and what is said of it.
fn read(text: &str, variables: &[(&str, &str)]) -> (Node, Files, Diagnostics) {
    let env = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (mut files, mut sink) = (Files::default(), Diagnostics::default());
    let file = files.add("spec.yaml", "spec.yaml", text.to_owned());
    let mut root = crate::spec::yaml::parse(file, &files, &mut sink).unwrap();
    interpolate(&mut root, &env, &files, &mut sink, &mut Outside::default());
    (root, files, sink)
}

/// What a string in `server` stands for, and whether it is a secret; the code of the first mistake otherwise.
fn value(written: &str, variables: &[(&str, &str)]) -> Result<(String, bool), Code> {
    let (root, files, sink) = read(&format!("server: {{ name: {written:?} }}\n"), variables);
    if let Some(first) = sink.sorted(&files).first() {
        return Err(first.code);
    }
    match &root.get("server").unwrap().value.get("name").unwrap().value.kind {
        Kind::String(text) => Ok((text.expose().to_owned(), text.is_secret())),
        other => panic!("{other:?}"),
    }
}

#[test]
fn replaces_what_it_knows() {
    let variables = [("A", "1"), ("EMPTY", ""), ("TRICK", "${A} {{x}} \", b: c")];
    for (written, wanted, secret) in [
        ("plain", "plain", false),
        ("${A}", "1", true),
        ("a${A}b${A}", "a1b1", true),
        ("${EMPTY}", "", true),
        ("${EMPTY:-x}", "x", false),
        ("${NONE:-}", "", false),
        ("${NONE:-a:-b}", "a:-b", false),
        ("${A:-x}", "1", true),
        ("${A:?why}", "1", true),
        ("$$", "$", false),
        ("$${A}", "${A}", false),
        ("$$$${A}$$${A}", "$${A}$1", true),
        ("$A $", "$A $", false),
        ("$a", "$a", false),
        ("pa$WORD", "pa$WORD", false),
        ("$$A_1", "$A_1", false),
        ("${TRICK}", "${A} {{x}} \", b: c", true),
        ("ü${A}é", "ü1é", true),
    ] {
        assert_eq!(value(written, &variables), Ok((wanted.to_owned(), secret)), "{written}");
    }
}

#[test]
fn refuses_what_it_does_not() {
    for (written, code) in [
        ("${NONE}", Code::MissingVariable),
        ("${NONE:?}", Code::MissingVariable),
        ("${EMPTY:?set it}", Code::MissingVariable),
        ("${", Code::BadValue),
        ("a ${A", Code::BadValue),
        ("$A_1", Code::BadValue),
        ("${}", Code::BadValue),
        ("${1A}", Code::BadValue),
        ("${A-b}", Code::BadValue),
        ("${A b}", Code::BadValue),
        ("${ü}", Code::BadValue),
        ("${file:/nowhere/at/all}", Code::MissingFile),
        ("${file:}", Code::MissingFile),
    ] {
        assert_eq!(value(written, &[("A", "1"), ("EMPTY", "")]), Err(code), "{written}");
    }
}

#[test]
fn knows_where_values_may_stand() {
    let spec = "server: { name: '${A}' }\n\
                x-top: { exec: { env: { B: '${NONE}' } }, y: '${NONE}' }\n\
                sources: { s: { http: 'http://${A}', headers: { x-key: '${A}' }, query: { x-q: '${A}' }, x-y: '${NONE}' } }\n\
                tools:\n\
                \x20 a: { exec: { command: [echo], env: { x-e: '${A}' }, cwd: '${A}' } }\n\
                \x20 b: { shell: { script: 'echo ${NONE} $$', env: { B: '${A}' } } }\n\
                \x20 c: { text: '$5 and $$' }\n";
    let (root, _, sink) = read(spec, &[("A", "1")]);
    assert!(sink.is_empty(), "{sink:?}");
    let json = root.to_json();
    assert_eq!(json["sources"]["s"]["headers"]["x-key"], "1");
    assert_eq!(json["sources"]["s"]["query"]["x-q"], "1");
    assert_eq!(json["tools"]["a"]["exec"]["env"]["x-e"], "1");
    assert_eq!(json["tools"]["b"]["shell"]["script"], "echo ${NONE} $$");
    assert_eq!(json["tools"]["c"]["text"], "$5 and $$");
    for (part, code) in [
        ("tools: { a: { text: '${A}' } }", Code::MisplacedVariable),
        ("tools: { a: { shell: { script: x, stdin: '${A}' } } }", Code::MisplacedVariable),
        ("tools: { a: { exec: { command: ['${A}'] } } }", Code::MisplacedVariable),
        ("partials: { a: '${' }", Code::MisplacedVariable),
    ] {
        let (_, files, sink) = read(&format!("{part}\n"), &[("A", "1")]);
        let codes: Vec<Code> = sink.sorted(&files).iter().map(|d| d.code).collect();
        assert_eq!(codes, [code], "{part}");
    }
}

#[test]
fn reads_files_beside_the_spec_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: &[u8]| std::fs::write(folder.path().join(name), content).unwrap();
    write("spec.yaml", b"server: { name: '${file:secret}', title: '${file:large}', version: '${file:.}' }\n");
    write("secret", b"s3cret\r\n\n");
    write("large", &[b'x'; 100_000]);
    let loaded = load(&Input::Path(folder.path().join("spec.yaml")), &Environment::default());
    let server = loaded.document.unwrap().server.0.unwrap();
    assert_eq!(server.name.get().unwrap().expose(), "s3cret");
    assert!(!format!("{server:?}").contains("s3cret"));
    assert!(server.title.is_none() && server.version.is_none());
    let labels: Vec<String> =
        loaded.diagnostics.sorted(&loaded.files).iter().map(|found| found.label.clone()).collect();
    assert_eq!(labels, ["it is larger than 65536 bytes", "it is a folder"]);
    assert!(loaded.inputs.contains(&folder.path().join("secret")));
}

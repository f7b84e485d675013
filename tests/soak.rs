//! Reloads under load: several clients call without a pause while the spec is edited again and again. No call fails,
//! each client is told of each change once, and the server grows in nothing. `benches/soak.rs` runs the same for long.

mod usage;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rmcp::model::ServerNotification;
use rmcp::service::Subscription;
use serde_json::json;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinHandle;

use crate::harness::{Client, Era, Process, Spec, soon, until};
pub use usage::Usage;

/// How long and how hard.
pub struct Plan {
    /// Edits, the first sixth of which are not measured.
    pub edits: u64,
    /// Between two calls of one client.
    pub pause: Duration,
    /// The longest that all of it may take.
    pub longest: Duration,
}

/// What was seen; that no call failed and nothing was told too often or too seldom has been asserted by then.
#[derive(Debug)]
pub struct Findings {
    pub calls: u64,
    /// Notifications that clients were told, all clients together.
    pub told: u64,
    pub took: Duration,
    /// What each process used at most in the first part that was measured and in the last.
    pub usage: Vec<(&'static str, Usage, Usage)>,
}

/// The spec as it is, counted by how often each part of it was edited.
#[derive(Debug, Default, Clone)]
struct Edits {
    number: u64,
    tools: u64,
    prompts: u64,
    resources: u64,
    sources: u64,
}

/// What an edit is to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// What runs is another, and nothing is told.
    Unseen,
    Told(&'static str),
    Refused,
}

impl Edits {
    fn next(&mut self) -> (String, Kind) {
        self.number += 1;
        match self.number % 6 {
            1 => self.tools += 1,
            2 => self.prompts += 1,
            3 => self.resources += 1,
            4 => self.sources += 1,
            5 => {
                let broken = self.text().replace("tools:", "tools:\n  broken: { txt: x }");
                return (broken, Kind::Refused);
            }
            _ => {}
        }
        let kind = match self.number % 6 {
            1 => Kind::Told("tools"),
            2 => Kind::Told("prompts"),
            3 => Kind::Told("updated"),
            _ => Kind::Unseen,
        };
        (self.text(), kind)
    }

    fn text(&self) -> String {
        let Edits { number, tools, prompts, resources, sources } = self;
        let most = 1 + sources % 4;
        let padding: String = (0..20)
            .map(|n| {
                let params = "{ a: string, b: { type: integer, optional: true } }";
                format!("  tool{n}: {{ description: Number {n}, params: {params}, text: '{{{{a}}}}' }}\n")
            })
            .collect();
        format!(
            "
sources:
  kept: {{ sql: 'sqlite:./kept.sqlite', init: ./db.sql }}
  changed: {{ sql: 'sqlite:./changed.sqlite', init: ./db.sql, maxConnections: {most} }}
tools:
  number: {{ sql: {{ source: kept, query: 'SELECT {number}', returns: value }} }}
  count: {{ sql: {{ source: changed, query: 'SELECT count(*) FROM t', returns: value }} }}
  more{tools}: {{ text: more }}
{padding}prompts:
  prompt{prompts}: {{ template: one }}
resources:
  test://word: {{ text: 'word {resources}', subscribe: {{ poll: 1h }} }}
"
        )
    }
}

/// A client that hears, and its name.
struct Listener {
    name: &'static str,
    ears: Ears,
}

enum Ears {
    Session(UnboundedReceiver<&'static str>),
    Subscription(Box<Subscription>),
}

impl Listener {
    async fn hears(&mut self) -> &'static str {
        match &mut self.ears {
            Ears::Session(heard) => soon(self.name, heard.recv()).await.unwrap(),
            Ears::Subscription(subscription) => {
                match soon(self.name, subscription.next()).await.unwrap().expect("an open subscription") {
                    ServerNotification::ToolListChangedNotification(_) => "tools",
                    ServerNotification::PromptListChangedNotification(_) => "prompts",
                    ServerNotification::ResourceUpdatedNotification(_) => "updated",
                    other => panic!("{other:?}"),
                }
            }
        }
    }
}

/// The calls of all clients.
#[derive(Default)]
struct Load {
    calls: AtomicU64,
    /// The last edit that was written.
    written: AtomicU64,
    ended: AtomicBool,
}

impl Load {
    /// Calls until the end. A newer catalog is never followed by an older one.
    async fn call(&self, client: &Client, pause: Duration) {
        let mut newest = 0;
        while !self.ended.load(Ordering::SeqCst) {
            let number: u64 = client.text("number", json!({})).await.parse().unwrap();
            let written = self.written.load(Ordering::SeqCst);
            assert!((newest..=written).contains(&number), "{number} after {newest}, {written} being the last edit");
            newest = number;
            assert_eq!(client.text("count", json!({})).await, "0");
            assert_eq!(client.text("tool7", json!({ "a": "word" })).await, "word");
            self.calls.fetch_add(3, Ordering::SeqCst);
            tokio::time::sleep(pause).await;
        }
    }
}

/// A client that calls and hears.
async fn session(client: Client, name: &'static str) -> (Arc<Client>, Listener) {
    let mut client = client;
    client.ask("resources/subscribe", json!({ "uri": "test://word" })).await.unwrap();
    let ears = Ears::Session(client.ears());
    (Arc::new(client), Listener { name, ears })
}

/// Runs the plan.
///
/// # Panics
/// If a call fails, a client is told too much, too little or late, or all of it takes too long.
pub async fn soak(plan: &Plan) -> Findings {
    let mut edits = Edits::default();
    let spec = Spec::new(&edits.text()).file("db.sql", "CREATE TABLE t (x);");
    let site = spec.http().await;
    let mut over_stdio = spec.stdio(Era::Legacy).await;
    let of = |name: &'static str, process: &Process| (name, process.heard(), process.pid());
    let servers = [of("HTTP", &site.process), of("stdio", over_stdio.process())];
    let (stdio, first) = session(over_stdio, "stdio").await;
    let (legacy, second) = session(site.client(Era::Legacy).await, "a session").await;
    let modern = Arc::new(site.client(Era::Modern).await);
    let filter =
        json!({ "toolsListChanged": true, "promptsListChanged": true, "resourceSubscriptions": ["test://word"] });
    let ears = Ears::Subscription(Box::new(modern.listen(filter).await));
    let mut listeners = [first, second, Listener { name: "a subscription", ears }];

    let load = Arc::new(Load::default());
    let calling: Vec<JoinHandle<()>> = [stdio, legacy, modern]
        .into_iter()
        .map(|client| {
            let (load, pause) = (load.clone(), plan.pause);
            tokio::spawn(async move { load.call(&client, pause).await })
        })
        .collect();

    let begin = Instant::now();
    let (mut told, mut refused) = (0, 0);
    let mut measured: Vec<Vec<Usage>> = vec![Vec::new(); servers.len()];
    for number in 1..=plan.edits {
        let (text, kind) = edits.next();
        load.written.store(number, Ordering::SeqCst);
        spec.rename_over(&text);
        refused += usize::from(kind == Kind::Refused);
        for (name, heard, _) in &servers {
            let served = format!("reloaded test {} (", spec.version());
            until(&format!("edit {number} over {name}"), async || match kind {
                Kind::Refused => heard.borrow().matches(" refused: 1 error\n").count() == refused,
                _ => heard.borrow().contains(&served),
            })
            .await;
        }
        if let Kind::Told(what) = kind {
            for listener in &mut listeners {
                assert_eq!(listener.hears().await, what, "edit {number}: {}", listener.name);
                told += 1;
            }
        }
        for (used, (_, _, pid)) in measured.iter_mut().zip(&servers) {
            used.push(Usage::of(*pid));
        }
        assert!(!calling.iter().any(JoinHandle::is_finished), "a call failed");
        assert!(begin.elapsed() < plan.longest, "edit {number} came after {:?}", begin.elapsed());
    }
    load.ended.store(true, Ordering::SeqCst);
    for calls in calling {
        soon("the last call", calls).await.unwrap();
    }
    let usage = servers.iter().zip(measured).map(|((name, ..), used)| {
        let sixth = used.len() / 6;
        (*name, Usage::most(&used[sixth..3 * sixth]), Usage::most(&used[4 * sixth..]))
    });
    Findings { calls: load.calls.load(Ordering::SeqCst), told, took: begin.elapsed(), usage: usage.collect() }
}

#[tokio::test]
async fn reloads_under_load_hurt_nobody() {
    let plan = Plan { edits: 36, pause: Duration::from_millis(5), longest: Duration::from_secs(300) };
    let findings = soak(&plan).await;
    assert!(findings.calls > 100 && findings.took < plan.longest, "{findings:?}");
    // Three clients, and every second edit is one that they see.
    assert_eq!(findings.told, 3 * 18);
    for (name, before, after) in findings.usage {
        // The bounds allow for connections and threads that come and go; a leak of one each reload would exceed them.
        assert!(after.files <= before.files + 8, "{name}: {before:?}, {after:?}");
        assert!(after.threads <= before.threads + 8, "{name}: {before:?}, {after:?}");
        assert!(after.resident_kib <= before.resident_kib + 16 * 1024, "{name}: {before:?}, {after:?}");
    }
}

//! The example `devops`: deployments that ask first, and are undone when they fail. Over both transports, in both eras.

use serde_json::{Value, json};

use crate::harness::{Spec, everywhere};
use crate::steps::talk::{Talk, accept};

fn devops() -> Spec {
    Spec::copy_of("examples/devops", "devops.yaml")
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

/// Says yes to every question that has `yes` in it, and keeps what was asked.
struct User {
    yes: &'static str,
    asked: Vec<String>,
}

impl User {
    fn who_wants(yes: &'static str) -> User {
        User { yes, asked: Vec::new() }
    }

    async fn calls(&mut self, talk: &mut Talk, tool: &str, arguments: Value) -> Value {
        let mut reply = |_: &str, params: &Value| {
            let message = params["message"].as_str().unwrap().to_owned();
            let yes = message.contains(self.yes);
            self.asked.push(message);
            accept(json!({ "confirm": yes }))
        };
        talk.call(tool, arguments, &mut reply).await
    }
}

async fn everybody(spec: &Spec, check: impl AsyncFn(Talk)) {
    Talk::everywhere(spec, json!({ "elicitation": {} }), async |talk| {
        check(talk).await;
        std::fs::remove_dir_all(spec.folder().join("site")).unwrap_or_default();
    })
    .await;
}

fn to(environment: &str, version: &str) -> Value {
    json!({ "environment": environment, "version": version })
}

#[tokio::test]
async fn a_deployment_that_fails_is_undone() {
    let spec = devops();
    everybody(&spec, async |mut talk| {
        let mut user = User::who_wants("Deploy");
        let first = user.calls(&mut talk, "deploy", to("staging", "1.0.0")).await;
        let expected = "Release 1.0.0 is whole. 1.0.0 answers in staging. Not announced: `sh` ended with status ";
        assert!(text(&first).starts_with(expected), "{first}");
        spec.put("site/board/old", "");
        let second = user.calls(&mut talk, "deploy", to("staging", "1.1.0")).await;
        assert_eq!(text(&second), "Release 1.1.0 is whole. 1.1.0 answers in staging.");
        let broken = user.calls(&mut talk, "deploy", to("staging", "1.2.0")).await;
        let words = "`switched.health`: `sh` ended with status 1: 1.2.0 does not answer in staging\n\
                     done before it: `verified`, `before`, `switched.step-1`\n`restore` was called after it";
        assert_eq!((text(&broken), &broken["result"]["isError"]), (words, &json!(true)));
        assert!(spec.get("README.md").contains(&words.replace('\n', "\n> ")), "the README shows it");
        assert_eq!(spec.get("site/staging/live"), "1.1.0\n");
        assert!(spec.get("site/staging/index.html").contains("Version 1.1.0"));
        assert_eq!(
            spec.get("site/history"),
            "staging: 1.0.0\nstaging: 1.1.0\nstaging: 1.2.0\nstaging: back to 1.1.0\n"
        );
        assert!(
            spec.get("site/staging/reason").starts_with("`health`: `sh` ended with status 1: 1.2.0 does not answer")
        );
        assert_eq!(spec.get("site/board/news"), "1.1.0 is live in staging\n");
        let asked = ["1.0.0", "1.1.0", "1.2.0"].map(|version| format!("Deploy {version} to staging?"));
        assert_eq!(user.asked, asked);
        let status = talk.call("status", json!({}), &mut |_, _| None).await;
        let live = json!({ "staging": "1.1.0", "production": "none" });
        assert_eq!(serde_json::from_str::<Value>(text(&status)).unwrap(), live);
    })
    .await;
}

#[tokio::test]
async fn nothing_is_done_without_a_yes() {
    let spec = devops();
    everybody(&spec, async |mut talk| {
        let mut user = User::who_wants("never");
        for (tool, arguments) in
            [("deploy", to("production", "1.0.0")), ("rollback", json!({ "environment": "staging" }))]
        {
            let answer = user.calls(&mut talk, tool, arguments).await;
            assert_eq!(text(&answer), "the user did not say yes, so nothing was done");
        }
        assert!(!spec.folder().join("site").exists());
        let mut user = User::who_wants("");
        let missing = user.calls(&mut talk, "deploy", to("staging", "9.9.9")).await;
        let words = text(&missing);
        assert!(words.starts_with("`step-1.verified`: `sh` ended with status 1: there is no release 9.9.9"), "{words}");
        assert!(!spec.folder().join("site").exists());
    })
    .await;
}

#[tokio::test]
async fn each_environment_has_its_own_question_and_a_way_back() {
    let spec = devops();
    everybody(&spec, async |mut talk| {
        let mut user = User::who_wants("staging");
        let half = user.calls(&mut talk, "deploy_all", json!({ "version": "1.0.0" })).await;
        let words = "`deployed.1`: the user did not say yes, so nothing was done\ndone before it: `deployed.0`";
        assert_eq!(text(&half), words);
        assert_eq!(spec.get("site/history"), "staging: 1.0.0\n", "once, however often the client calls");
        let mut user = User::who_wants("");
        let all = user.calls(&mut talk, "deploy_all", json!({ "version": "1.1.0" })).await;
        assert_eq!(text(&all), "1.1.0 answers in staging\n1.1.0 answers in production\n");
        assert_eq!(user.asked, ["Deploy 1.1.0 to staging?", "Deploy 1.1.0 to production?"]);
        let back = user.calls(&mut talk, "rollback", json!({ "environment": "staging" })).await;
        assert_eq!(text(&back), "1.0.0 is live in staging again");
        let nothing = user.calls(&mut talk, "rollback", json!({ "environment": "production" })).await;
        assert_eq!(text(&nothing), "`restored`: `sh` ended with status 1: nothing was live in production before");
        assert_eq!(spec.get("site/staging/live"), "1.0.0\n");
        assert_eq!(spec.get("site/production/live"), "1.1.0\n");
    })
    .await;
}

#[tokio::test]
async fn the_site_may_lie_elsewhere() {
    let elsewhere = tempfile::tempdir().unwrap();
    let spec = devops().env("DEPLOY_SITE", elsewhere.path().to_str().unwrap());
    let mut talk = Talk::stdio(&spec, crate::harness::Era::Modern, json!({ "elicitation": {} })).await;
    User::who_wants("").calls(&mut talk, "deploy", to("production", "1.0.0")).await;
    assert_eq!(std::fs::read_to_string(elsewhere.path().join("production/live")).unwrap(), "1.0.0\n");
    assert!(!spec.folder().join("site").exists());
}

#[tokio::test]
async fn clients_see_what_may_be_destroyed() {
    let spec = devops();
    everywhere(&spec, async |client| {
        let tools = client.list("tools").await;
        let read_only = |name: &str| {
            let tool = tools.iter().find(|tool| tool["name"] == name).unwrap();
            (tool["annotations"]["readOnlyHint"].clone(), tool["annotations"]["destructiveHint"].clone())
        };
        for name in ["deploy", "deploy_all", "rollback", "restore"] {
            assert_eq!(read_only(name), (json!(false), json!(true)), "{name}");
        }
        assert_eq!(read_only("status").0, true);
        let deploy = tools.iter().find(|tool| tool["name"] == "deploy_all").unwrap();
        assert_eq!(deploy["annotations"].get("idempotentHint"), Some(&json!(false)), "{deploy}");
    })
    .await;
}

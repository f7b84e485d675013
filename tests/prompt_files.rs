//! Prompts in Markdown files.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere, until};

const REVIEW: &str = "---
title: Review code
description: Looks for mistakes.
arguments:
  code: { required: true, description: What to review }
  depth: { type: integer, default: 2 }
  language: { complete: { text: \"{{value}}-{{default depth 'none'}}\" } }
data:
  rules: { file: ./rules.txt }
---

Review this{{#if language}} {{language}}{{/if}}, {{depth}} levels deep:

    {{code}}

{{trim rules}} ${HOME} $$
";

const TALK: &str = "---
name: small-talk
arguments: { who: {} }
---
I am {{default who \"nobody\"}}.

{{role \"assistant\"}}
> Hello.
{{role 'user'}}
\"Goodbye.\"
";

fn spec() -> Spec {
    Spec::new(
        "
        promptFiles: [./prompts/*.md, ./more/last.text]
        prompts: { first: { template: First. } }
        ",
    )
    .file("prompts/review.prompt.md", REVIEW)
    .file("prompts/rules.txt", "Be kind.\n")
    .file("prompts/talk.md", TALK)
    .file("prompts/plain.md", "# No front matter\n\n---\n\nfor `${x}`.\n")
    .file("prompts/.hidden.md", "not this")
    .file("more/last.text", "---\n---\n\nThe last.")
}

async fn texts(client: &Client, prompt: &str, arguments: Value) -> Vec<(String, String)> {
    let messages = client.prompt(prompt, arguments).await;
    let pair = |m: &Value| {
        (m["role"].as_str().unwrap().to_owned(), m["content"]["text"].as_str().unwrap_or_default().to_owned())
    };
    messages.as_array().unwrap().iter().map(pair).collect()
}

fn user(text: &str) -> (String, String) {
    ("user".to_owned(), text.to_owned())
}

#[tokio::test]
async fn each_file_is_a_prompt() {
    everywhere(&spec(), async |client| {
        let listed = client.list("prompts").await;
        let names: Vec<&Value> = listed.iter().map(|prompt| &prompt["name"]).collect();
        assert_eq!(names, ["first", "plain", "review", "small-talk", "last"]);
        let arguments = json!([
            { "name": "code", "description": "What to review", "required": true },
            { "name": "depth" }, { "name": "language" },
        ]);
        let review =
            json!({ "name": "review", "title": "Review code", "description": "Looks for mistakes.", "arguments": arguments });
        assert_eq!(listed[2], review);
        let said = "Review this rust, 3 levels deep:\n\n    x = 1\n\nBe kind. ${HOME} $$";
        let given = json!({ "code": "x = 1", "depth": "3", "language": "rust" });
        assert_eq!(texts(client, "review", given).await, [user(said)]);
        let talk = [user("I am Ann."), ("assistant".to_owned(), "> Hello.".to_owned()), user("\"Goodbye.\"")];
        assert_eq!(texts(client, "small-talk", json!({ "who": "Ann" })).await, talk);
        assert_eq!(texts(client, "plain", json!({})).await, [user("# No front matter\n\n---\n\nfor `${x}`.")]);
        assert_eq!(texts(client, "last", json!({})).await, [user("The last.")]);
        assert_eq!(client.complete("review", "language", "ru").await["values"], json!(["ru-none"]));
    })
    .await;
}

#[tokio::test]
async fn messages_of_other_kinds_stand_in_the_front_matter() {
    let spec = Spec::new(
        "
        promptFiles: ./p/*.md
        partials: ./p/*.hbs
        resources: { 'a:b': { text: here } }
        ",
    )
    .file(
        "p/mixed.md",
        "---\nmessages:\n  - { role: user, resource: 'a:b' }\n  - { role: user, file: ./note.txt }\n---\n\n",
    )
    .file("p/note.txt", "beside it")
    .file("p/bye.hbs", "Bye, {{name}}.")
    .file("p/partial.md", "---\narguments: { name: {} }\n---\n{{> bye}}");
    let client = spec.stdio(Era::Modern).await;
    let mixed = client.prompt("mixed", json!({})).await;
    assert_eq!(mixed[0]["content"]["resource"]["text"], "here");
    assert_eq!(mixed[1]["content"]["text"], "beside it");
    assert_eq!(texts(&client, "partial", json!({ "name": "Ann" })).await, [user("Bye, Ann.")]);
}

#[tokio::test]
async fn toml_and_parts_have_prompt_files_too() {
    let spec =
        Spec::named("spec.toml", "include = [\"part/*.yaml\"]\npromptFiles = \"a.md\"\n[server]\nname = \"test\"\n")
            .file("a.md", "From A.")
            .file("part/spec.yaml", "promptFiles: ../part/*.md")
            .file("part/b.md", "From B.");
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(texts(&client, "a", json!({})).await, [user("From A.")]);
    assert_eq!(texts(&client, "b", json!({})).await, [user("From B.")]);
}

#[tokio::test]
async fn files_that_come_change_and_go_are_noticed() {
    let spec = Spec::new("promptFiles: ./prompts/*.md").file("prompts/a.md", "First.");
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(texts(&client, "a", json!({})).await, [user("First.")]);
    spec.put("prompts/a.md", "Second.");
    until("the edit", async || texts(&client, "a", json!({})).await == [user("Second.")]).await;
    spec.put("prompts/b.md", "New.");
    assert_eq!(client.hears().await, "prompts");
    assert_eq!(texts(&client, "b", json!({})).await, [user("New.")]);
    spec.put("prompts/b.md", "---\ntitel: New\n---\nBad {{edit}}.");
    let said = client.process().says("unknown key `titel`").await;
    assert!(said.contains("b.md"), "{said}");
    assert_eq!(texts(&client, "b", json!({})).await, [user("New.")], "the last good one stays");
    std::fs::remove_file(spec.folder().join("prompts/b.md")).unwrap();
    assert_eq!(client.hears().await, "prompts");
    assert_eq!(client.list("prompts").await.len(), 1);
}

//! Steps, and what a call and its client say to each other while it runs: over stdio and HTTP, in both eras.

pub mod talk;

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::site::answer;
use crate::harness::{Era, Spec, everywhere, modern, request, soon};
use talk::{Talk, able, accept, retry, says};

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}"))
}

fn error(answer: &Value) -> &str {
    assert_eq!(answer["result"]["isError"], true, "{answer}");
    text(answer)
}

fn nobody(_: &str, _: &Value) -> Option<Value> {
    None
}

#[tokio::test]
async fn steps_run_in_order_and_their_names_grow() {
    let spec = Spec::tools(
        r#"
        greet: { params: { name: string, loud: { type: boolean, default: false } }, text: 'Hello {{name}}{{#if loud}}!{{/if}}' }
        twice:
          params: { name: string, loud: { type: boolean, optional: true } }
          steps:
            - { call: greet, with: { name: '{{name}}', loud: '{{loud}}' }, as: first }
            - { text: '{{upper first}}', as: second }
            - { exec: { command: [printf, '%s', '{{second}}'] }, as: third }
            - { when: loud, text: 'very', as: how }
            - { when: missing_not, text: 'never', as: never }
        nested:
          steps:
            - steps: [{ text: a, as: x }, { text: '{{x}}b', as: y }]
              as: inner
            - { when: inner.y, text: '{{inner.y}}c', as: z }
        script:
          steps:
            - { exec: { command: [head, -c, '200000', /dev/zero] }, as: large }
            - { text: small, as: little }
            - { shell: { script: 'printf %s "$little"' }, as: said }
          result: { text: '{{said}}' }
        shaped: { steps: [{ text: '1', as: one }], result: { jq: '.one | tonumber' } }
        "#
        .replace("missing_not", "loud")
        .as_str(),
    );
    everywhere(&spec, async |client| {
        let quiet =
            json!({ "first": "Hello you", "second": "HELLO YOU", "third": "HELLO YOU", "how": null, "never": null });
        assert_eq!(client.json("twice", json!({ "name": "you" })).await, quiet);
        let loud = client.json("twice", json!({ "name": "you", "loud": true })).await;
        assert_eq!((&loud["third"], &loud["how"]), (&json!("HELLO YOU!"), &json!("very")));
        let nested = json!({ "inner": { "x": "a", "y": "ab" }, "z": "abc" });
        assert_eq!(client.json("nested", json!({})).await, nested);
        assert_eq!(client.text("script", json!({})).await, "small", "a script gets only the names that it says");
        assert_eq!(client.text("shaped", json!({})).await, "1");
    })
    .await;
}

#[tokio::test]
async fn an_error_says_which_step_failed_and_stops() {
    let spec = Spec::tools(
        "
        no: { shell: { script: 'echo sorry >&2; exit 3' } }
        one: { params: { n: integer }, text: '{{n}}' }
        all:
          steps:
            - { call: no, as: answer }
            - { shell: { script: 'touch done' } }
        typed:
          params: { n: string }
          steps: [{ call: one, with: { n: '{{n}}' } }]
        ",
    );
    everywhere(&spec, async |client| {
        assert_eq!(client.fails("all", json!({})).await, "`answer`: `script` ended with status 3: sorry");
        let words = client.fails("typed", json!({ "n": "x" })).await;
        assert!(words.starts_with("`step-1`: ") && words.contains("`n`"), "{words}");
    })
    .await;
    assert!(!spec.folder().join("done").exists());
}

const FORM: &str = "schema: { type: object, properties: { name: { type: string, minLength: 2 } }, required: [name] }";

fn asking() -> Spec {
    Spec::tools(
        &r#"
        order:
          params: { book: string }
          steps:
            - { shell: { script: 'echo "$book" >> before' } }
            - { exec: { command: [cat, before] }, as: seen }
            - ask: { message: 'Who wants {{book}}?', FORM }
              as: who
            - { shell: { script: 'echo "$book" >> after' } }
            - { sample: { prompt: 'A word for {{who.content.name}}', maxTokens: 9, systemPrompt: 'be kind' }, as: word }
            - { roots: {}, as: places }
          result: { text: '{{who.content.name}} {{word}} {{places.0.uri}} {{trim seen}}' }
        free:
          steps:
            - ask: { message: 'Name?', FORM, onDecline: continue }
              as: who
          result: { text: '{{who.action}} {{json who.content}}' }
        drop:
          params: { id: integer }
          confirm: 'Delete book {{id}}?'
          shell: { script: 'echo "$id" >> dropped' }
        clean: { steps: [{ call: drop, with: { id: 7 } }, { call: drop, with: { id: 8 } }] }
        several:
          steps:
            - ask:
                inputs:
                  who: { message: 'Name?', FORM }
                  word: { sample: { messages: [{ role: user, text: hi }, { role: assistant, text: ho }], maxTokens: 5 } }
                  where: { roots: { optional: true } }
              as: all
          result: { text: '{{all.who.content.name}} {{all.word}} {{len all.where}}' }
        maybe:
          steps:
            - ask: { message: 'Name?', FORM, optional: true }
              as: who
          result: { text: '{{#if who}}{{who.content.name}}{{else}}nobody{{/if}}' }
        "#
        .replace("FORM", FORM),
    )
}

/// A client that answers everything.
fn willing(method: &str, _: &Value) -> Option<Value> {
    match method {
        "elicitation/create" => accept(json!({ "name": "Ann" })),
        "sampling/createMessage" => says("lovely"),
        "roots/list" => Some(json!({ "roots": [{ "uri": "file:///a", "name": "a" }] })),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn one_declaration_asks_in_both_eras_and_what_was_done_is_not_done_again() {
    Talk::everywhere(&asking(), able(), async |mut talk| {
        let book = format!("book-{}", talk.process().pid());
        let mut asked = Vec::new();
        let answer = talk
            .call("order", json!({ "book": book }), &mut |method, params| {
                asked.push((method.to_owned(), params.clone()));
                willing(method, params)
            })
            .await;
        let said = text(&answer).to_owned();
        assert!(said.starts_with("Ann lovely file:///a "), "{said}");
        assert_eq!(said.matches(&book).count(), 1, "what was seen before the question is what it was: {said}");
        assert_eq!(asked.len(), 3, "{asked:?}");
        let (form, sample) = (&asked[0].1, &asked[1].1);
        assert_eq!(form["message"], format!("Who wants {book}?"));
        assert_eq!(
            form["requestedSchema"],
            json!({ "type": "object", "properties": { "name": { "type": "string", "minLength": 2 } }, "required": ["name"] })
        );
        let message = json!({ "role": "user", "content": { "type": "text", "text": "A word for Ann" } });
        assert_eq!((&sample["messages"], &sample["maxTokens"], &sample["systemPrompt"]), (&json!([message]), &json!(9), &json!("be kind")));
    })
    .await;
}

#[tokio::test]
async fn a_side_effect_before_a_question_happens_once() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        talk.call("order", json!({ "book": "x" }), &mut willing).await;
    })
    .await;
    for file in ["before", "after"] {
        assert_eq!(spec.get(file).lines().count(), 4, "{file}: one for each client");
    }
}

#[tokio::test]
async fn who_declines_ends_the_call_unless_the_spec_goes_on() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        for (action, word) in [("decline", "declined"), ("cancel", "cancelled")] {
            let mut no = |_: &str, _: &Value| Some(json!({ "action": action }));
            let answer = talk.call("order", json!({ "book": "x" }), &mut no).await;
            let done = "done before it: `step-1`, `seen`";
            assert_eq!(error(&answer), format!("`who`: the user {word}: Who wants x?\n{done}"));
            assert_eq!(text(&talk.call("free", json!({}), &mut no).await), format!("{action} null"));
        }
        let yes = talk.call("free", json!({}), &mut willing).await;
        assert_eq!(text(&yes), r#"accept {"name":"Ann"}"#);
    })
    .await;
    assert!(!spec.folder().join("after").exists());
}

#[tokio::test]
async fn a_tool_with_confirm_does_nothing_without_a_yes() {
    let spec = asking();
    Talk::everywhere(&spec, able(), async |mut talk| {
        let asked = std::cell::RefCell::new(Vec::new());
        let reply = |yes: bool| {
            let asked = &asked;
            move |_: &str, params: &Value| {
                asked.borrow_mut().push(params["message"].as_str().unwrap().to_owned());
                accept(json!({ "confirm": yes }))
            }
        };
        let no = talk.call("drop", json!({ "id": 1 }), &mut reply(false)).await;
        assert_eq!(error(&no), "the user did not say yes, so nothing was done");
        let declined = talk.call("drop", json!({ "id": 1 }), &mut |_, _| Some(json!({ "action": "decline" }))).await;
        assert_eq!(error(&declined), "the user declined: Delete book 1?");
        let yes = talk.call("drop", json!({ "id": 1 }), &mut reply(true)).await;
        assert_eq!(yes["result"]["isError"], false, "{yes}");
        let both = talk.call("clean", json!({}), &mut reply(true)).await;
        assert_eq!(both["result"]["isError"], false, "{both}");
        let asked = asked.into_inner();
        assert_eq!(asked, ["Delete book 1?", "Delete book 1?", "Delete book 7?", "Delete book 8?"]);
    })
    .await;
    assert_eq!(spec.get("dropped").lines().collect::<Vec<_>>(), ["1", "7", "8"].repeat(4));
}

#[tokio::test]
async fn several_questions_make_one_round() {
    Talk::everywhere(&asking(), json!({ "elicitation": {}, "sampling": {} }), async |mut talk| {
        let mut asked = Vec::new();
        let answer = talk
            .call("several", json!({}), &mut |method, params| {
                asked.push((method.to_owned(), params.clone()));
                willing(method, params)
            })
            .await;
        assert_eq!(text(&answer), "Ann lovely 0", "the client has no roots");
        assert_eq!(asked.len(), 2);
        let sample = &asked.iter().find(|(method, _)| method == "sampling/createMessage").unwrap().1;
        assert_eq!(sample["messages"][1], json!({ "role": "assistant", "content": { "type": "text", "text": "ho" } }));
    })
    .await;
}

#[tokio::test]
async fn answers_that_do_not_fit_are_asked_for_again() {
    Talk::everywhere(&asking(), able(), async |mut talk| {
        let mut messages = Vec::new();
        let mut replies =
            vec![accept(json!({ "name": "Bo" })), Some(json!({ "action": "maybe" })), accept(json!({ "name": "B" }))];
        let answer = talk
            .call("free", json!({}), &mut |_, params| {
                messages.push(params["message"].as_str().unwrap().to_owned());
                replies.pop().unwrap()
            })
            .await;
        match talk.era {
            Era::Legacy => {
                assert_eq!(text(&answer), r#"accept {"name":"Bo"}"#);
                assert!(messages[1].contains("`name`"), "{messages:?}");
                let never = talk.call("free", json!({}), &mut |_, _| accept(json!({}))).await;
                assert!(error(&never).starts_with("`who`: no answer that fits: "), "{never}");
            }
            Era::Modern => assert_eq!(messages.len(), 3, "{answer}"),
        }
    })
    .await;
}

#[tokio::test]
async fn a_client_that_lacks_a_capability_is_told_which() {
    let spec = asking();
    Talk::everywhere(&spec, json!({ "sampling": {} }), async |mut talk| {
        for tool in ["order", "drop", "clean"] {
            let arguments = json!({ "book": "x", "id": 1 });
            let wanted = if tool == "order" { "book" } else { "id" };
            let arguments = if tool == "clean" { json!({}) } else { json!({ wanted: arguments[wanted] }) };
            let answer = talk.call(tool, arguments, &mut nobody).await;
            match talk.era {
                Era::Legacy => {
                    assert!(error(&answer).contains("has declared the capability `elicitation`"), "{answer}");
                }
                Era::Modern => {
                    assert_eq!(answer["error"]["code"], -32021, "{answer}");
                    let required = &answer["error"]["data"]["requiredCapabilities"];
                    assert_eq!(required["elicitation"], json!({}), "{answer}");
                    assert_eq!(required.get("sampling"), None, "{answer}");
                }
            }
        }
        assert_eq!(text(&talk.call("maybe", json!({}), &mut nobody).await), "nobody");
    })
    .await;
    assert!(!spec.folder().join("before").exists(), "known before anything is done");
}

#[tokio::test]
async fn requires_is_checked_before_anything_runs() {
    let spec = Spec::tools("touch: { requires: { sampling: {}, roots: {} }, shell: { script: 'touch done' } }");
    Talk::everywhere(&spec, json!({ "roots": {} }), async |mut talk| {
        let answer = talk.call("touch", json!({}), &mut nobody).await;
        match talk.era {
            Era::Legacy => assert!(error(&answer).ends_with("the capability `sampling`"), "{answer}"),
            Era::Modern => {
                assert_eq!(answer["error"]["data"]["requiredCapabilities"], json!({ "sampling": {} }), "{answer}");
            }
        }
    })
    .await;
    assert!(!spec.folder().join("done").exists());
}

#[tokio::test]
async fn a_client_that_refuses_is_an_error_of_the_tool() {
    let spec = asking();
    for mut talk in [Talk::stdio(&spec, Era::Legacy, able()).await, Talk::http(&spec, Era::Legacy, able()).await] {
        let answer = talk.call("free", json!({}), &mut nobody).await;
        assert_eq!(error(&answer), "`who`: the client refused: no, thanks");
    }
}

#[tokio::test]
async fn a_state_is_good_for_its_own_request_and_no_other() {
    let spec = asking();
    for mut talk in [Talk::stdio(&spec, Era::Modern, able()).await, Talk::http(&spec, Era::Modern, able()).await] {
        let params = json!({ "name": "order", "arguments": { "book": "x" } });
        let first = talk.once("tools/call", params.clone()).await;
        assert_eq!(first["result"]["resultType"], "input_required", "{first}");
        assert_eq!(first["result"]["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "test");
        let again = retry(&params, &first, &mut willing);
        let state = again["requestState"].as_str().unwrap();
        let mut wrong = vec![];
        for text in [format!("{state}x"), state[1..].to_owned(), String::new(), "rs1.a.b".to_owned()] {
            let mut tampered = again.clone();
            tampered["requestState"] = json!(text);
            wrong.push(tampered);
        }
        let mut other = again.clone();
        other["arguments"]["book"] = json!("y");
        wrong.push(other);
        let mut other = again.clone();
        other["name"] = json!("free");
        other["arguments"] = json!({});
        wrong.push(other);
        for params in wrong {
            let refused = talk.once("tools/call", params).await;
            assert_eq!(refused["error"]["code"], -32602, "{refused}");
            assert!(refused["error"]["message"].as_str().unwrap().contains("requestState"), "{refused}");
        }
        // The same once more: the client may have missed the answer. What came before the question stays done.
        for _ in 0..2 {
            let next = talk.once("tools/call", again.clone()).await;
            assert_eq!(next["result"]["inputRequests"]["word"]["method"], "sampling/createMessage", "{next}");
            assert_ne!(next["result"]["requestState"], first["result"]["requestState"]);
        }
        let unanswered = talk.once("tools/call", {
            let mut params = again.clone();
            params["inputResponses"] = json!({ "someone_else": 5 });
            params
        });
        let unanswered = unanswered.await;
        assert_eq!(unanswered["result"]["inputRequests"]["who"]["method"], "elicitation/create", "{unanswered}");
    }
    assert_eq!(spec.get("before").lines().count(), 2, "once for each client");
}

#[tokio::test]
async fn a_state_ends_with_its_server_and_with_its_spec() {
    let spec = asking();
    let params = json!({ "name": "free", "arguments": {} });
    let mut talk = Talk::stdio(&spec, Era::Modern, able()).await;
    let first = talk.once("tools/call", params.clone()).await;
    let again = retry(&params, &first, &mut willing);
    let mut another = Talk::stdio(&spec, Era::Modern, able()).await;
    assert_eq!(another.once("tools/call", again.clone()).await["error"]["code"], -32602);
    // A reload of the same spec changes nothing for the call.
    talk.process().signal(rustix::process::Signal::HUP);
    talk.process().says("generation 2").await;
    assert_eq!(talk.once("tools/call", again.clone()).await["result"]["isError"], false);
    spec.write(&spec.get("spec.yaml").replace("Name?", "Your name?").replace("0.0.1", "0.0.2"));
    talk.process().says("reloaded test 0.0.2").await;
    assert_eq!(talk.once("tools/call", again).await["error"]["code"], -32602);
}

#[tokio::test]
async fn what_was_done_has_a_bound_in_the_state() {
    let spec = Spec::tools(
        "
        big:
          steps:
            - { exec: { command: [head, -c, '300000', /dev/zero] }, as: zeros }
            - ask: { message: Go on?, schema: { type: object, properties: {} } }
        ",
    );
    let mut talk = Talk::stdio(&spec, Era::Modern, able()).await;
    let answer = talk.call("big", json!({}), &mut willing).await;
    assert!(error(&answer).contains("too large to be kept"), "{answer}");
    let mut talk = Talk::stdio(&spec, Era::Legacy, able()).await;
    let answer = talk.call("big", json!({}), &mut |_, _| accept(json!({}))).await;
    assert_eq!(answer["result"]["isError"], false);
}

#[tokio::test]
async fn prompts_and_resources_ask_too() {
    let spec = Spec::new(
        &"
        prompts:
          who:
            data:
              one: { steps: [{ shell: { script: 'echo x >> ran' } }, { ask: { message: 'First?', FORM }, as: a }] }
              two: { steps: [{ ask: { message: 'Second?', FORM }, as: a }] }
            template: '{{one.a.content.name}} and {{two.a.content.name}}'
        resources:
          'test://who': { steps: [{ ask: { message: 'Who?', FORM }, as: a }], result: { text: 'It is {{a.content.name}}' } }
        "
        .replace("FORM", FORM),
    );
    Talk::everywhere(&spec, able(), async |mut talk| {
        let mut by_message = |_: &str, params: &Value| {
            accept(json!({ "name": params["message"].as_str().unwrap().trim_end_matches('?') }))
        };
        let answer = talk.converse("prompts/get", json!({ "name": "who" }), &mut by_message).await;
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "First and Second", "{answer}");
        let answer = talk.converse("resources/read", json!({ "uri": "test://who" }), &mut by_message).await;
        assert_eq!(answer["result"]["contents"][0]["text"], "It is Who", "{answer}");
    })
    .await;
    assert_eq!(spec.get("ran").lines().count(), 4);
}

fn chatty() -> Spec {
    Spec::tools(
        r#"
        tell:
          params: { n: { type: integer, default: 3 } }
          steps:
            - log: started
            - { log: { level: debug, logger: me, data: { n: '{{n}}' } } }
            - { progress: { progress: 1, total: '{{n}}', message: 'one of {{n}}' } }
            - { progress: { progress: 1, total: '{{n}}' } }
            - { progress: { progress: 0.5 } }
            - { log: { level: error, message: 'n is {{n}}' } }
            - { progress: { progress: '{{n}}', total: '{{n}}' } }
          result: { text: told }
        run:
          shell:
            script: 'for n in 10 50; do echo "$n% of it" >&2; done; printf "half\rnot a number%%\n" >&2; echo "$TOKEN" >&2; echo out'
            progress: '(\d+)%'
            env: { TOKEN: '${TOKEN}' }
        of: { exec: { command: [sh, -c, 'echo 1/4 >&2; echo 2/4 >&2'], progress: '(\d+)/(\d+)' } }
        fail: { exec: { command: [sh, -c, 'echo oh >&2; exit 4'] } }
        "#,
    )
    .env("TOKEN", "very-secret")
}

#[tokio::test]
async fn progress_only_grows_and_only_for_a_token() {
    Talk::everywhere(&chatty(), able(), async |mut talk| {
        assert_eq!(text(&talk.call("tell", json!({}), &mut nobody).await), "told");
        talk.meta = json!({ "progressToken": "p" });
        let told = async |talk: &mut Talk, tool: &str, count: usize| {
            talk.call(tool, json!({}), &mut nobody).await;
            let mut all = Vec::new();
            while all.len() < count {
                let next = talk.hears().await;
                if next["method"] == "notifications/progress" {
                    assert_eq!(next["params"]["progressToken"], "p");
                    let params = &next["params"];
                    all.push((
                        params["progress"].as_f64().unwrap(),
                        params["total"].as_f64(),
                        params["message"].as_str().map(str::to_owned),
                    ));
                }
            }
            all
        };
        assert_eq!(
            told(&mut talk, "tell", 2).await,
            [(1.0, Some(3.0), Some("one of 3".into())), (3.0, Some(3.0), None)]
        );
        assert_eq!(told(&mut talk, "run", 2).await, [(10.0, Some(100.0), None), (50.0, Some(100.0), None)]);
        assert_eq!(told(&mut talk, "of", 2).await, [(1.0, Some(4.0), None), (2.0, Some(4.0), None)]);
    })
    .await;
}

/// Level, logger and data of the next log message.
async fn logged(talk: &mut Talk) -> (String, Value, Value) {
    loop {
        let next = talk.hears().await;
        if next["method"] == "notifications/message" {
            let params = &next["params"];
            return (params["level"].as_str().unwrap().to_owned(), params["logger"].clone(), params["data"].clone());
        }
    }
}

#[tokio::test]
async fn log_messages_reach_who_wants_them() {
    Talk::everywhere(&chatty(), able(), async |mut talk| {
        let log = |level: &str, logger: Value, data: Value| (level.to_owned(), logger, data);
        match talk.era {
            Era::Legacy => {
                let answer = talk.once("logging/setLevel", json!({ "level": "debug" })).await;
                assert_eq!(answer["result"], json!({}));
            }
            Era::Modern => {
                let answer = talk.once("logging/setLevel", json!({ "level": "debug" })).await;
                assert_eq!(answer["error"]["code"], -32601, "{answer}");
                talk.call("tell", json!({}), &mut nobody).await;
                assert_eq!(talk.hears_more(), None, "nobody asked for messages");
                talk.meta = json!({ "io.modelcontextprotocol/logLevel": "debug" });
            }
        }
        talk.call("tell", json!({}), &mut nobody).await;
        assert_eq!(logged(&mut talk).await, log("info", Value::Null, json!("started")));
        assert_eq!(logged(&mut talk).await, log("debug", json!("me"), json!({ "n": 3 })));
        assert_eq!(logged(&mut talk).await, log("error", Value::Null, json!("n is 3")));
        talk.call("run", json!({}), &mut nobody).await;
        for line in ["half", "not a number%", "***"] {
            assert_eq!(logged(&mut talk).await, log("info", json!("script"), json!(line)));
        }
        match talk.era {
            Era::Legacy => _ = talk.once("logging/setLevel", json!({ "level": "warning" })).await,
            Era::Modern => talk.meta = json!({ "io.modelcontextprotocol/logLevel": "warning" }),
        }
        talk.call("fail", json!({}), &mut nobody).await;
        assert_eq!(logged(&mut talk).await, log("warning", json!("sh"), json!("exit status 4")));
        assert_eq!(talk.hears_more(), None);
    })
    .await;
}

#[tokio::test]
async fn a_level_is_of_one_session() {
    let site = chatty().http().await;
    let one = site.session("2025-11-25").await;
    let two = site.session("2025-11-25").await;
    let level = crate::harness::request(1, "logging/setLevel", json!({ "level": "emergency" }));
    assert_eq!(site.post(&level).header("mcp-session-id", &one).send().await.unwrap().status(), 200);
    let mut stream = site.stream(&two).await;
    let call = crate::harness::request(2, "tools/call", json!({ "name": "tell", "arguments": {} }));
    assert_eq!(answer(site.post(&call).header("mcp-session-id", &two).send().await.unwrap()).await.0, 200);
    let mut heard = String::new();
    while !heard.contains("started") {
        let chunk = crate::harness::soon("a message", stream.chunk()).await.unwrap().unwrap();
        heard.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

#[tokio::test]
async fn a_call_that_is_taken_back_stops_everywhere() {
    let spec = Spec::tools(
        "
        slow: { steps: [{ sleep: 60s }, { shell: { script: 'touch done' } }] }
        ask:
          steps:
            - ask: { message: Wait?, schema: { type: object, properties: {} } }
            - { shell: { script: 'touch done' } }
        ",
    );
    let mut talk = Talk::stdio(&spec, Era::Legacy, able()).await;
    let process = talk.process();
    for (id, tool) in [(50, "slow"), (51, "ask")] {
        process.send(&crate::harness::request(id, "tools/call", json!({ "name": tool, "arguments": {} }))).await;
        let asked = if tool == "ask" { process.next().await.unwrap()["id"].clone() } else { Value::Null };
        let cancelled = json!({ "requestId": id, "reason": "enough" });
        process.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled })).await;
        if tool == "ask" {
            let taken_back = process.next().await.unwrap();
            assert_eq!(taken_back["method"], "notifications/cancelled", "{taken_back}");
            assert_eq!(taken_back["params"]["requestId"], asked);
        }
    }
    let pong = process.ask(&crate::harness::request(60, "ping", json!({}))).await;
    assert_eq!(pong["result"], json!({}));
    process.close_stdin();
    assert_eq!(process.exit().await, 0);
    assert!(!spec.folder().join("done").exists());
}

#[tokio::test]
async fn a_client_that_leaves_while_it_is_asked_holds_nothing_up() {
    let spec = asking();
    let mut talk = Talk::stdio(&spec, Era::Legacy, able()).await;
    let process = talk.process();
    process.send(&crate::harness::request(9, "tools/call", json!({ "name": "free", "arguments": {} }))).await;
    assert_eq!(process.next().await.unwrap()["method"], "elicitation/create");
    let begun = std::time::Instant::now();
    process.close_stdin();
    assert_eq!(process.exit().await, 0);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn modern_http_answers_with_the_right_status() {
    let site = asking().http().await;
    let message = modern(1, "tools/call", json!({ "name": "free", "arguments": {} }));
    let (status, answer) = site.ask(&message).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32021)), "{answer}");
}

#[tokio::test]
async fn the_command_line_can_not_be_asked_but_runs_steps() {
    let spec = asking();
    let asked = spec.run("call", &["drop", "id=1"]).await;
    assert_eq!(asked.code, 1, "{asked:?}");
    assert!(asked.err.contains("there is no terminal to ask at"), "{asked:?}");
    assert!(!spec.folder().join("dropped").exists());
    let maybe = spec.run("call", &["maybe"]).await;
    assert_eq!((maybe.code, maybe.out.as_str()), (0, "nobody\n"), "{maybe:?}");
    let explained = spec.run("call", &["order", "book=x", "--explain"]).await;
    assert_eq!(explained.code, 0, "{explained:?}");
    for words in ["step-1: ", "who: asks the client (elicitation)", "places: asks the client (roots)"] {
        assert!(explained.out.contains(words), "{words}: {}", explained.out);
    }
    assert!(!spec.folder().join("before").exists());
}

#[tokio::test]
async fn annotations_follow_the_steps() {
    let spec = Spec::tools(
        "
        look: { text: x }
        act: { shell: { script: ':' } }
        looks: { steps: [{ call: look }, { text: y }, { log: z }] }
        acts: { steps: [{ call: look }, { call: act }] }
        ",
    );
    let client = spec.stdio(Era::Legacy).await;
    let tools = client.list("tools").await;
    let names: Vec<&str> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["look", "act", "looks", "acts"]);
    let read_only = |at: usize| tools[at]["annotations"].get("readOnlyHint").cloned();
    assert_eq!((read_only(2), read_only(3)), (Some(json!(true)), None));
}

#[tokio::test]
async fn who_takes_no_event_streams_is_not_asked() {
    let spec = Spec::tools(
        "question: { steps: [{ ask: { message: Sure?, schema: { type: object, properties: { ok: { type: boolean } } } } }] }",
    );
    let site = spec.http().await;
    let web = reqwest::Client::new();
    let post = |accept: &str, message: &Value| web.post(&site.url).header("accept", accept).json(message);
    for accept in ["application/json", "*/*", "application/json, text/plain, */*"] {
        let client = json!({ "name": "test", "version": "1" });
        let able = json!({ "elicitation": {} });
        let params = json!({ "protocolVersion": "2025-03-26", "capabilities": able, "clientInfo": client });
        let begun = post(accept, &request("first", "initialize", params)).send().await.unwrap();
        assert_eq!(begun.headers()["content-type"], "application/json");
        let session = begun.headers()["mcp-session-id"].clone();
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        post(accept, &initialized).header("mcp-session-id", &session).send().await.unwrap();
        let call = |id: i64| request(id, "tools/call", json!({ "name": "question" }));
        // The question would stay open for ten minutes; `soon` waits for one.
        let single = post(accept, &call(1)).header("mcp-session-id", &session).send();
        let (status, answer) = answer(soon("an answer", single).await.unwrap()).await;
        assert_eq!(status, 200);
        assert!(error(&answer).contains("this client takes no event streams"), "{answer}");
        let batch = post(accept, &json!([call(2)])).header("mcp-session-id", &session).send();
        let answers: Vec<Value> = soon("answers", batch).await.unwrap().json().await.unwrap();
        assert!(error(&answers[0]).contains("this client takes no event streams"), "{answers:?}");
    }
}

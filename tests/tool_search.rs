//! `toolMode: search`: three tools that find, describe and call all the others.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::client::text_of;
use crate::harness::{Client, Era, Spec, everywhere};
use crate::steps::talk::{Talk, accept};

const SHOP: &str = r#"
    toolMode: search
    server: { name: shop, version: 1.0.0 }
    tools:
      find_orders:
        title: Orders
        description: Lists the orders of a customer, the latest first.
        params: { customer: { type: string, minLength: 2 }, limit: { type: integer, default: 5 } }
        text: 'orders of {{customer}}, {{limit}}'
      cancelOrder:
        description: Takes an order back.
        params: { id: integer }
        confirm: Cancel order {{id}}?
        text: cancelled {{id}}
      get-weather:
        description: What the weather is like in a city.
        params: { city: string }
        outputSchema: { type: object, properties: { city: { type: string } }, required: [city] }
        annotations: { readOnlyHint: true }
        exec: { command: [printf, '{"city":"%s"}', '{{city}}'] }
        result: { as: json }
"#;

fn names(found: &Value) -> Vec<&str> {
    found["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn clients_see_three_tools() {
    everywhere(&Spec::new(SHOP), async |client: &mut Client| {
        let tools = client.list("tools").await;
        let seen: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
        assert_eq!(seen, ["search_tools", "describe_tool", "call_tool"]);
        assert_eq!(tools[0]["annotations"], json!({ "readOnlyHint": true, "openWorldHint": false }));
        let anything =
            json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": false, "openWorldHint": true });
        assert_eq!(tools[2]["annotations"], anything);
        assert_eq!(tools[0]["inputSchema"]["required"], json!(["query"]));
    })
    .await;
}

#[tokio::test]
async fn tools_are_found_described_and_called() {
    everywhere(&Spec::new(SHOP), async |client: &mut Client| {
        let found = client.json("search_tools", json!({ "query": "orders of a customer" })).await;
        assert_eq!(names(&found), ["find_orders", "cancelOrder", "get-weather"]);
        assert_eq!((&found["found"], &found["of"]), (&json!(3), &json!(3)));
        let first = json!({ "name": "find_orders", "title": "Orders", "description": "Lists the orders of a customer, the latest first." });
        assert_eq!(found["tools"][0], first);
        let one = client.json("search_tools", json!({ "query": "cancel", "limit": 1 })).await;
        assert_eq!(names(&one), ["cancelOrder"]);
        let none = client.json("search_tools", json!({ "query": "teapot" })).await;
        assert_eq!(none, json!({ "tools": [], "found": 0, "of": 3 }));

        let told = client.json("describe_tool", json!({ "name": "get-weather" })).await;
        let keys: Vec<_> = told.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(keys, ["name", "description", "inputSchema", "outputSchema", "annotations"]);
        assert_eq!(told["inputSchema"]["properties"], json!({ "city": { "type": "string" } }));

        let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
        let text = client.text("call_tool", call("find_orders", json!({ "customer": "Ann" }))).await;
        assert_eq!(text, "orders of Ann, 5");
        let weather = client.json("call_tool", call("get-weather", json!({ "city": "Oslo" }))).await;
        assert_eq!(weather, json!({ "city": "Oslo" }));
        let direct = client.text("find_orders", json!({ "customer": "Ann" })).await;
        assert_eq!(direct, "orders of Ann, 5", "a search keeps nobody out");
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_told_as_those_of_any_call() {
    everywhere(&Spec::new(SHOP), async |client: &mut Client| {
        let call = |name: &str, arguments: Value| json!({ "name": name, "arguments": arguments });
        let words = client.fails("call_tool", call("find_orders", json!({ "customer": "A" }))).await;
        assert!(words.contains("`customer`"), "{words}");
        let words = client.fails("call_tool", call("find_order", json!({}))).await;
        assert_eq!(words, "there is no tool `find_order`; did you mean `find_orders`?");
        let words = client.fails("describe_tool", json!({ "name": "teapot" })).await;
        assert_eq!(words, "there is no tool `teapot`; search_tools finds the tools that there are");
        let words = client.fails("call_tool", call("call_tool", json!({ "name": "find_orders" }))).await;
        assert!(words.starts_with("there is no tool `call_tool`"), "{words}");
        let words = client.fails("call_tool", json!({ "name": "find_orders", "arguments": "{}" })).await;
        assert!(words.contains("`arguments`"), "{words}");
        let words = client.fails("search_tools", json!({})).await;
        assert!(words.contains("`query`"), "{words}");
        let words = client.fails("search_tools", json!({ "query": "x", "limit": 1000 })).await;
        assert!(words.contains("`limit`"), "{words}");
        let (code, words) = client.refused("tools/call", json!({ "name": "teapot" })).await;
        assert_eq!((code, words.as_str()), (-32602, "there is no tool `teapot`"));
    })
    .await;
}

#[tokio::test]
async fn a_tool_asks_first_in_either_era() {
    Talk::everywhere(&Spec::new(SHOP), json!({ "elicitation": {} }), async |mut talk| {
        let call = json!({ "name": "cancelOrder", "arguments": { "id": 7 } });
        let mut asked = Vec::new();
        let answer = talk
            .call("call_tool", call.clone(), &mut |_, params| {
                asked.push(params["message"].clone());
                accept(json!({ "confirm": true }))
            })
            .await;
        assert_eq!(text_of(&answer["result"]), "cancelled 7", "{answer}");
        assert_eq!(asked, ["Cancel order 7?"]);
        let declined = talk.call("call_tool", call, &mut |_, _| Some(json!({ "action": "decline" }))).await;
        assert_eq!(text_of(&declined["result"]), "the user declined: Cancel order 7?", "{declined}");
    })
    .await;
}

#[tokio::test]
async fn a_long_call_becomes_a_task() {
    let spec = Spec::new("toolMode: search\ntools: { long: { longRunning: true, text: done } }");
    let able = json!({ "extensions": { "io.modelcontextprotocol/tasks": {} } });
    let mut talk = Talk::stdio(&spec, Era::Modern, able).await;
    let begun = talk.once("tools/call", json!({ "name": "call_tool", "arguments": { "name": "long" } })).await;
    assert_eq!(begun["result"]["resultType"], "task", "{begun}");
}

#[tokio::test]
async fn the_command_line_shows_both() {
    let spec = Spec::new(SHOP);
    let listed = spec.run("list", &[]).await;
    assert_eq!(listed.code, 0, "{}", listed.err);
    for line in [
        "tools that clients see (toolMode: search):",
        "  search_tools(query, limit?)",
        "tools that these find and call:",
        "  find_orders(customer, limit?)",
    ] {
        assert!(listed.out.contains(line), "{line}: {}", listed.out);
    }
    let json: Value = serde_json::from_str(&spec.run("list", &["--json"]).await.out).unwrap();
    assert_eq!((json["tools"].as_array().unwrap().len(), json["searchedTools"].as_array().unwrap().len()), (3, 3));
    let direct = spec.run("call", &["find_orders", "customer=Ann"]).await;
    assert_eq!(direct.out, "orders of Ann, 5\n");
    let found = spec.run("call", &["search_tools", "query=weather", "limit=1"]).await;
    assert_eq!(names(&serde_json::from_str(&found.out).unwrap()), ["get-weather"]);
    let through = ["call_tool", "--json", r#"{"name":"find_orders","arguments":{"customer":"Ann"}}"#];
    assert_eq!(spec.run("call", &through).await.out, "orders of Ann, 5\n");
}

#[tokio::test]
async fn a_diff_tells_of_tools_behind_a_search_and_clients_are_not_told() {
    let spec = Spec::new(SHOP);
    spec.put("new.yaml", spec.get("spec.yaml").replace("Takes an order back.", "Takes one order back."));
    let new = spec.folder().join("new.yaml");
    let output = spec.run("diff", &[new.to_str().unwrap()]).await;
    assert_eq!((output.code, output.out.as_str()), (1, "~ tool cancelOrder: description\n"));
    spec.put("new.yaml", spec.get("spec.yaml").replace("toolMode: search", "toolMode: list"));
    let output = spec.run("diff", &[new.to_str().unwrap()]).await;
    assert_eq!((output.code, output.out.as_str()), (1, "~ tools: toolMode\n"));
}

#[tokio::test]
async fn two_thousand_tools_are_searched_at_once() {
    let kinds = ["invoice", "order", "customer", "product", "warehouse", "shipment", "refund", "coupon"];
    let deeds = ["create", "find", "update", "delete", "list", "export", "approve", "archive", "merge", "print"];
    let tools: String = (0..2000)
        .map(|n| {
            let (deed, kind) = (deeds[n % 10], kinds[n / 10 % 8]);
            format!("  {deed}_{kind}_{n}:\n    description: Can {deed} the {kind} number {n} of a company.\n    params: {{ id: integer, note: string }}\n    text: done {n}\n")
        })
        .collect();
    let text = format!("server: {{ name: large }}\ntoolMode: search\ntools:\n{tools}");
    let client = Spec::new(&text).stdio(Era::Legacy).await;
    let list = client.ask("tools/list", json!({})).await.unwrap().to_string();
    assert!(list.len() < 4000, "{} bytes", list.len());
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let begun = Instant::now();
        let found = client.json("search_tools", json!({ "query": "approve a shipment 1256" })).await;
        best = best.min(begun.elapsed());
        assert_eq!(names(&found)[0], "approve_shipment_1256");
        assert_eq!(names(&found).len(), 10);
    }
    eprintln!("2,000 tools: tools/list has {} bytes, a search takes {best:?}", list.len());
    // far above what it takes, far below what going through all of it anew would
    assert!(best < Duration::from_millis(500), "{best:?}");
    let text =
        client.text("call_tool", json!({ "name": "merge_order_18", "arguments": { "id": 1, "note": "" } })).await;
    assert_eq!(text, "done 18");
}

//! What the worked examples promise, as clients see it.

use serde_json::{Value, json};

use crate::harness::{Client, Era, Spec, everywhere, soon};

fn sales() -> Spec {
    Spec::copy_of("examples/sales-analytics", "sales.yaml")
}

fn tasks() -> Spec {
    Spec::copy_of("examples/tasks", "tasks.yaml")
}

async fn names(client: &Client, list: &str, key: &str) -> Vec<String> {
    client.list(list).await.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn sales_offers_what_it_says() {
    everywhere(&sales(), async |client| {
        assert_eq!(names(client, "tools", "name").await, ["fetch_sales_data", "calculate_metrics", "forecast_trend"]);
        assert_eq!(
            names(client, "resourceTemplates", "uriTemplate").await,
            ["report://{report_type}", "database://{table_name}"]
        );
        assert_eq!(
            names(client, "resources", "uri").await,
            [
                "resource://company/config",
                "report://annual",
                "report://quarterly",
                "database://regions",
                "database://sales"
            ]
        );
        let mut prompts = names(client, "prompts", "name").await;
        prompts.sort();
        assert_eq!(prompts, ["budget_planning_prompt", "sales_analysis_prompt", "technical_analysis_prompt"]);
    })
    .await;
}

#[tokio::test]
async fn sales_figures_are_those_of_the_database() {
    let client = sales().stdio(Era::Legacy).await;
    for (region, revenue, growth) in [("APAC", 125_000.5, 15), ("EMEA", 98_500.75, 8), ("AMERICAS", 156_000.0, 22)] {
        let found = client.json("fetch_sales_data", json!({ "region": region, "year": 2024 })).await;
        assert_eq!(found["revenue"].as_f64(), Some(revenue), "{found}");
        assert_eq!(found["growth_percent"], growth, "{found}");
    }
    let metrics = client.json("calculate_metrics", json!({ "revenue": 150_000, "expenses": 95_000 })).await;
    assert_eq!(metrics, json!({ "profit": 55_000, "margin_percent": 36.67, "status": "profitable" }));
    let halves = client.json("calculate_metrics", json!({ "revenue": 0.5, "expenses": 0.75 })).await;
    assert_eq!(halves, json!({ "profit": -0.25, "margin_percent": -50.0, "status": "at a loss" }));
    let forecast = client.json("forecast_trend", json!({ "region": "APAC", "monthsAhead": 3 })).await;
    assert_eq!(forecast["months"].as_array().unwrap().len(), 3);
    // 125000.5 / 12, grown by 15 / 12 % a month
    assert_eq!(forecast["months"][0], json!({ "month": 1, "revenue": 10546.92 }));
    let report = client.read("report://quarterly").await;
    assert!(report["mimeType"] == "text/markdown" && report["text"].as_str().unwrap().starts_with("# Q4 2024 review"));
}

#[tokio::test]
async fn sales_errors_say_how_to_go_on() {
    let client = sales().stdio(Era::Modern).await;
    let words = client.fails("fetch_sales_data", json!({ "region": "MARS", "year": 2024 })).await;
    assert!(["APAC", "EMEA", "AMERICAS", "MARS"].iter().all(|region| words.contains(region)), "{words}");
    let words = client.fails("fetch_sales_data", json!({ "region": "APAC", "year": 2030 })).await;
    assert!(words.contains("`year` must be at most 2024"), "{words}");
    let words = client.fails("calculate_metrics", json!({ "revenue": 0, "expenses": 5 })).await;
    assert!(words.contains("`revenue` must be more than 0"), "{words}");
    let unknown = json!({ "uri": "report://daily" });
    assert!(client.refused("resources/read", unknown).await.1.contains("\"quarterly\", \"annual\""));
    let prompt = json!({ "name": "sales_analysis_prompt", "arguments": { "region": "MARS" } });
    assert!(client.refused("prompts/get", prompt).await.1.contains("\"APAC\", \"EMEA\", \"AMERICAS\""));
}

#[tokio::test]
async fn sales_prompts_complete_and_carry_the_data() {
    let client = sales().stdio(Era::Legacy).await;
    let found = client.complete("sales_analysis_prompt", "region", "A").await;
    assert_eq!(found, json!({ "values": ["APAC", "AMERICAS"], "total": 2, "hasMore": false }));
    let said = client.prompt("sales_analysis_prompt", json!({ "region": "AMERICAS" })).await;
    assert!(said[0]["content"]["text"].as_str().unwrap().contains("| 2024 | 156000.0 | 97500.0 | 22 % |"), "{said}");
    let said = client.prompt("budget_planning_prompt", json!({ "budget": "90000" })).await;
    assert_eq!(said[0]["content"]["resource"]["uri"], "resource://company/config");
    assert!(
        said[1]["content"]["text"].as_str().unwrap().starts_with("Share 90000 dollars among our regions for 2025.")
    );
    let said = client.prompt("technical_analysis_prompt", json!({ "table_name": "regions" })).await;
    let roles: Vec<&Value> = said.as_array().unwrap().iter().map(|message| &message["role"]).collect();
    assert_eq!(roles, ["user", "assistant"]);
    assert!(said[0]["content"]["text"].as_str().unwrap().contains("- `name` (text, required)"), "{said}");
}

#[tokio::test]
async fn tasks_are_made_found_and_done() {
    let client = tasks().stdio(Era::Legacy).await;
    let made = client.json("create_task", json!({ "title": "Buy stamps", "priority": "high" })).await;
    assert_eq!((&made["id"], &made["project"], &made["priority"]), (&json!(8), &json!("inbox"), &json!("high")));
    let due = client.fails("create_task", json!({ "title": "Buy stamps", "due": "tomorrow" })).await;
    assert!(due.contains("`due` must be a date"), "{due}");
    assert_eq!(client.text("search_tasks", json!({ "words": "stamp" })).await, "#8 Buy stamps (inbox, urgent)\n");
    assert_eq!(client.text("search_tasks", json!({ "words": "nowhere" })).await, "Nothing found.\n");
    let done = client.json("search_tasks", json!({ "status": "done" })).await;
    assert_eq!(done["rowCount"], 2);
    let today = || async { client.read("tasks://today").await["text"].as_str().unwrap().to_owned() };
    assert!(today().await.contains("Buy stamps"));
    let listed = names(&client, "resources", "name").await;
    assert!(listed.contains(&"Buy stamps".to_owned()) && !listed.contains(&"Renew the library card".to_owned()));
    let asked = client.fails("complete_task", json!({ "id": 8 })).await;
    assert!(asked.contains("`elicitation`"), "a client that can't ask its user does nothing: {asked}");
    assert!(today().await.contains("Buy stamps"));
    let review = client.prompt("weekly_review", json!({ "days": "5", "project": "home" })).await;
    let review = review[0]["content"]["text"].as_str().unwrap();
    assert!(review.contains("last 5 days of the project home.") && review.contains("- Renew the library card (home)"));
    assert!(review.contains("#4 Call the dentist") && !review.contains("invoice"), "{review}");
    assert_eq!(
        client.complete("weekly_review", "project", "").await["values"],
        json!(["garden", "home", "inbox", "office"])
    );
}

#[tokio::test]
async fn a_task_that_is_new_changes_today() {
    let spec = tasks();
    let client = spec.stdio(Era::Modern).await;
    let mut subscription = client.listen(json!({ "resourceSubscriptions": ["tasks://today"] })).await;
    client.json("create_task", json!({ "title": "Buy stamps" })).await;
    let told = soon("an update", subscription.next()).await.unwrap().expect("it goes on");
    let told = serde_json::to_value(&told).unwrap();
    assert!(told.to_string().contains("tasks://today"), "{told}");
}

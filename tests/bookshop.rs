//! The bookshop, as its clients see it: every tool, resource, prompt and completion, with the real data.

use serde_json::{Value, json};

use crate::harness::{Era, Spec, everywhere};

/// Whether a JSON value satisfies a JSON Schema.
fn fits(schema: &Value, value: &Value) {
    let schema = jsonschema::validator_for(schema).unwrap();
    let faults: Vec<String> = schema.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?} in {value}");
}

/// One column of an answer's rows.
fn column(answer: &Value, name: &str) -> Vec<Value> {
    answer["rows"].as_array().unwrap().iter().map(|row| row[name].clone()).collect()
}

#[tokio::test]
async fn yaml_and_toml_are_the_same_server() {
    let (yaml, toml) = (Spec::bookshop("bookshop.yaml"), Spec::bookshop("bookshop.toml"));
    let (yaml, toml) = (&yaml.stdio(Era::Legacy).await, &toml.stdio(Era::Legacy).await);
    for list in ["tools", "resources", "resourceTemplates", "prompts"] {
        let listed = yaml.list(list).await;
        assert!(!listed.is_empty());
        assert_eq!(listed, toml.list(list).await);
    }
    assert_eq!(yaml.server(), toml.server());
}

#[tokio::test]
async fn says_who_it_is_and_what_it_can_do() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let server = client.server();
        let told = &server["serverInfo"];
        let told = if told.is_null() { &server["_meta"]["io.modelcontextprotocol/serverInfo"] } else { told };
        assert_eq!(*told, json!({ "name": "bookshop", "title": "The Harbour Bookshop", "version": "1.0.0" }));
        let instructions = "Find a book with find_books before you ask for its orders. Prices are in euro.";
        assert_eq!(server["instructions"], instructions);
        let changes = json!({ "listChanged": true });
        let resources = json!({ "listChanged": true, "subscribe": true });
        let capabilities = json!({
            "tools": changes, "resources": resources, "prompts": changes, "completions": {}, "logging": {},
        });
        assert_eq!(server["capabilities"], capabilities);
    })
    .await;
}

#[tokio::test]
async fn lists_are_in_the_order_of_the_spec() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let names = async |list: &str, key: &str| -> Vec<String> {
            client.list(list).await.iter().map(|item| item[key].as_str().unwrap().to_owned()).collect()
        };
        let tools = ["find_books", "bestsellers", "book_orders", "lookup_isbn", "count_words", "search_manuscripts"];
        assert_eq!(names("tools", "name").await, tools);
        assert_eq!(names("resources", "uri").await, ["shop://terms"]);
        let templates = ["shop://books/{id}", "shop://manuscripts/{name}"];
        assert_eq!(names("resourceTemplates", "uriTemplate").await, templates);
        assert_eq!(names("prompts", "name").await, ["recommend", "review_manuscript"]);
    })
    .await;
}

#[tokio::test]
async fn every_constraint_is_published() {
    let spec = Spec::bookshop("bookshop.yaml");
    let client = spec.stdio(Era::Legacy).await;
    let tools = client.list("tools").await;
    let find = json!({
        "type": "object",
        "properties": {
            "words": { "type": "string", "description": "Words of the title or of the author's name", "minLength": 2 },
            "maxPrice": { "type": "number", "description": "Highest price in euro", "exclusiveMinimum": 0 },
            "inStock": { "type": "boolean", "description": "Only books that are on the shelf", "default": false },
            "sort": { "type": "string", "enum": ["title", "price", "year"], "default": "title" },
            "limit": { "type": "integer", "minimum": 1, "maximum": 100, "default": 20 },
        },
        "required": ["words"],
        "additionalProperties": false,
    });
    assert_eq!(tools[0]["inputSchema"], find);
    let status = json!({
        "type": "array",
        "items": { "type": "string", "enum": ["open", "shipped", "delivered", "returned", "cancelled"] },
    });
    assert_eq!(tools[2]["inputSchema"]["properties"]["status"], status);
    assert_eq!(tools[2]["inputSchema"]["required"], json!(["book"]));
    assert_eq!(tools[3]["inputSchema"]["properties"]["isbn"]["pattern"], "^[0-9Xx-]{10,17}$");
}

#[tokio::test]
async fn annotations_say_what_is_known_without_asking() {
    let spec = Spec::bookshop("bookshop.yaml");
    let client = spec.stdio(Era::Legacy).await;
    let annotations: Vec<Value> = client.list("tools").await.iter().map(|tool| tool["annotations"].clone()).collect();
    let inside = json!({ "readOnlyHint": true, "openWorldHint": false });
    assert_eq!(annotations[..3], [inside.clone(), inside.clone(), inside]);
    assert_eq!(annotations[3], json!({ "readOnlyHint": true, "openWorldHint": true }));
    assert_eq!(annotations[4..], [json!({ "readOnlyHint": true }), json!({ "readOnlyHint": true })]);
}

#[tokio::test]
async fn find_books_finds_by_title_and_author() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let dune = client.json("find_books", json!({ "words": "dune" })).await;
        assert_eq!(column(&dune, "id"), [90, 88, 89]);
        assert_eq!((&dune["rowCount"], &dune["truncated"]), (&json!(3), &json!(false)));
        let first = json!({
            "id": 90, "title": "Children of Dune", "author": "Frank Herbert", "year": 1976,
            "isbn": "9799072896932", "price": 18.9, "stock": 3,
        });
        assert_eq!(dune["rows"][0], first);
        let cheap = client.json("find_books", json!({ "words": "dune", "maxPrice": 10 })).await;
        assert_eq!(column(&cheap, "id"), [89]);
        let by_year = client.json("find_books", json!({ "words": "dune", "sort": "year" })).await;
        assert_eq!(column(&by_year, "id"), [88, 89, 90]);
        let author = client.json("find_books", json!({ "words": "le guin" })).await;
        assert_eq!(author["rowCount"], 6);
        assert!(column(&author, "author").iter().all(|name| name == "Ursula K. Le Guin"), "{author}");
    })
    .await;
}

#[tokio::test]
async fn defaults_are_filled_in() {
    let spec = Spec::bookshop("bookshop.yaml");
    let client = spec.stdio(Era::Legacy).await;
    let all = client.json("find_books", json!({ "words": "th" })).await;
    assert_eq!(all["rowCount"], 20, "limit is 20 by default");
    let titles: Vec<String> = column(&all, "title").iter().map(|t| t.as_str().unwrap().to_owned()).collect();
    assert!(titles.is_sorted(), "sort is title by default: {titles:?}");
    assert!(column(&all, "stock").contains(&json!(0)), "inStock is off by default");
    let shelf = client.json("find_books", json!({ "words": "th", "inStock": true, "limit": 100 })).await;
    assert!(column(&shelf, "stock").iter().all(|stock| stock.as_i64() > Some(0)));
    assert_eq!(client.json("bestsellers", json!({})).await["rowCount"], 10);
}

#[tokio::test]
async fn bestsellers_and_orders() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let best = client.json("bestsellers", json!({ "limit": 1 })).await;
        assert_eq!((&best["rows"][0]["title"], &best["rows"][0]["sold"]), (&json!("Pride and Prejudice"), &json!(913)));
        let crime = client.json("bestsellers", json!({ "genre": "crime", "limit": 3 })).await;
        assert!(column(&crime, "genre").iter().all(|genre| genre == "crime"));
        assert_eq!(crime["rowCount"], 3);
        assert_eq!(client.json("book_orders", json!({ "book": 57 })).await["rowCount"], 5);
        let under_way = json!({ "book": 57, "status": ["open", "shipped"] });
        let under_way = client.json("book_orders", under_way).await;
        assert_eq!(column(&under_way, "id"), [245, 238, 235]);
        let none = client.json("book_orders", json!({ "book": 57, "status": [] })).await;
        assert_eq!(none, json!({ "rows": [], "rowCount": 0, "truncated": false }));
    })
    .await;
}

#[tokio::test]
async fn structured_answers_satisfy_their_schemas_and_are_told_as_text_too() {
    let spec = Spec::bookshop("bookshop.yaml");
    let client = spec.stdio(Era::Legacy).await;
    let tools = client.list("tools").await;
    let calls = [
        (0, json!({ "words": "dune" })),
        (0, json!({ "words": "nothing has this title" })),
        (1, json!({ "genre": "horror", "limit": 50 })),
        (2, json!({ "book": 57 })),
        (2, json!({ "book": 57, "status": ["returned"] })),
    ];
    for (tool, arguments) in calls {
        let answer = client.call(tools[tool]["name"].as_str().unwrap(), arguments).await;
        fits(&tools[tool]["outputSchema"], &answer["structuredContent"]);
        let text: Value = serde_json::from_str(answer["content"][0]["text"].as_str().unwrap()).unwrap();
        assert_eq!(text, answer["structuredContent"]);
    }
    for reshaped in [3, 4, 5] {
        assert_eq!(tools[reshaped]["outputSchema"], Value::Null);
    }
}

#[tokio::test]
async fn manuscripts_are_counted_and_searched() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let counted = client.text("count_words", json!({ "manuscript": "winter-ferry" })).await;
        assert_eq!(counted, "314 winter-ferry.md\n");
        let found = client.text("search_manuscripts", json!({ "words": "lamp" })).await;
        assert_eq!(found.lines().count(), 8);
        let mut files: Vec<&str> = found.lines().map(|line| line.split(':').next().unwrap()).collect();
        files.dedup();
        assert_eq!(files, ["lamplighter.md", "small-rivers.md", "winter-ferry.md"]);
        let none = client.text("search_manuscripts", json!({ "words": "submarine" })).await;
        assert_eq!(none, "no line holds these words\n");
    })
    .await;
}

#[tokio::test]
async fn resources_are_read() {
    let spec = Spec::bookshop("bookshop.yaml");
    let terms = spec.get("terms.md");
    let ferry = spec.get("manuscripts/winter-ferry.md");
    everywhere(&spec, async |client| {
        let book = client.read("shop://books/88").await;
        assert_eq!((&book["uri"], &book["mimeType"]), (&json!("shop://books/88"), &json!("application/json")));
        let row: Value = serde_json::from_str(book["text"].as_str().unwrap()).unwrap();
        let expected = json!({
            "id": 88, "title": "Dune", "author": "Frank Herbert", "country": "United States", "year": 1965,
            "genre": "science-fiction", "isbn": "9780441172719", "price": 12.95, "stock": 6,
        });
        assert_eq!(row, expected);
        assert_eq!(client.read("shop://terms").await["text"], *terms);
        let manuscript = client.read("shop://manuscripts/winter-ferry").await;
        assert_eq!((&manuscript["text"], &manuscript["mimeType"]), (&json!(ferry), &json!("text/markdown")));
    })
    .await;
}

#[tokio::test]
async fn a_resource_that_is_not_there_is_not_found() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let legacy = client.server()["protocolVersion"] != json!("2026-07-28");
        let code = if legacy { -32002 } else { -32602 };
        for uri in ["shop://books/9999", "shop://books/dune", "shop://manuscripts/../terms", "shop://nothing", "x:"] {
            let error = client.ask("resources/read", json!({ "uri": uri })).await.expect_err(uri);
            assert_eq!(error.code.0, code, "{uri}: {error:?}");
            assert_eq!(error.data, Some(json!({ "uri": uri })));
        }
    })
    .await;
}

#[tokio::test]
async fn prompts_hold_their_data() {
    let spec = Spec::bookshop("bookshop.yaml");
    let ferry = spec.get("manuscripts/winter-ferry.md");
    everywhere(&spec, async |client| {
        let messages = client.prompt("recommend", json!({ "taste": "the {{sea}}", "genre": "crime" })).await;
        assert_eq!(messages[0]["role"], "user");
        let text = messages[0]["content"]["text"].as_str().unwrap();
        assert!(text.starts_with("Recommend one of these books to somebody who likes the {{sea}}, and say why:\n- "));
        assert!(text.contains("- Murder on the Orient Express by Agatha Christie, 10.95 euro\n"), "{text}");
        let all = client.prompt("recommend", json!({ "taste": "plots" })).await;
        assert_eq!(all[0]["content"]["text"].as_str().unwrap().matches("\n- ").count(), 20);

        let plain = client.prompt("review_manuscript", json!({ "manuscript": "winter-ferry" })).await;
        let roles: Vec<&Value> = plain.as_array().unwrap().iter().map(|message| &message["role"]).collect();
        assert_eq!(roles, ["user", "assistant", "user"]);
        assert!(plain[0]["content"]["text"].as_str().unwrap().contains(&ferry));
        assert!(plain[2]["content"]["text"].as_str().unwrap().starts_with("Tell me what works and what does not.\n"));
        let focused = json!({ "manuscript": "winter-ferry", "focus": "pace" });
        let focused = client.prompt("review_manuscript", focused).await;
        assert!(focused[2]["content"]["text"].as_str().unwrap().starts_with("Tell me about its pace.\n"));
    })
    .await;
}

#[tokio::test]
async fn prompts_say_what_is_wrong_with_their_arguments() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let (code, words) = client.refused("prompts/get", json!({ "name": "recommend" })).await;
        assert_eq!((code, words.as_str()), (-32602, "`taste` is required"));
        let arguments = json!({ "taste": "x", "tast": "y", "Genre": "crime" });
        let (code, words) = client.refused("prompts/get", json!({ "name": "recommend", "arguments": arguments })).await;
        assert_eq!(code, -32602);
        assert!(words.contains("`tast`") && words.contains("`Genre`"), "{words}");
        let outside = json!({ "name": "review_manuscript", "arguments": { "manuscript": "../terms" } });
        let (code, words) = client.refused("prompts/get", outside).await;
        assert_eq!(code, -32602);
        assert!(words.contains("`manuscript`"), "{words}");
    })
    .await;
}

#[tokio::test]
async fn enums_and_written_values_complete() {
    let spec = Spec::bookshop("bookshop.yaml");
    everywhere(&spec, async |client| {
        let genres = client.complete("recommend", "genre", "").await;
        assert_eq!((&genres["total"], genres["hasMore"].as_bool()), (&json!(7), Some(false)));
        assert_eq!(client.complete("recommend", "genre", "CR").await["values"], json!(["crime"]));
        let names = client.complete("review_manuscript", "manuscript", "l").await;
        assert_eq!(names["values"], json!(["lamplighter"]));
        let names = client.complete("shop://manuscripts/{name}", "name", "").await;
        assert_eq!(names["values"], json!(["lamplighter", "orchard-clock", "small-rivers", "winter-ferry"]));
        assert_eq!(client.complete("shop://books/{id}", "id", "1").await["values"], json!([]));
        assert_eq!(client.complete("recommend", "taste", "x").await["values"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn its_commands_do_what_the_readme_says() {
    let spec = Spec::bookshop("bookshop.yaml");
    let checked = spec.run("check", &[]).await;
    let verdict = format!("{}: ok, bookshop 1.0.0 (6 tools, 3 resources, 2 prompts)\n", spec.path().display());
    assert_eq!((checked.code, checked.out, checked.err), (0, verdict, String::new()));
    assert!(!spec.folder().join("bookshop.db").exists(), "check creates nothing");
    let found = spec.run("call", &["find_books", "words=dune", "maxPrice=10"]).await;
    assert_eq!(serde_json::from_str::<Value>(&found.out).unwrap()["rows"][0]["title"], "Dune Messiah");
    let orders = spec.run("call", &["book_orders", "book=57", "status=open,shipped"]).await;
    assert_eq!(serde_json::from_str::<Value>(&orders.out).unwrap()["rowCount"], 3);
    assert_eq!(spec.run("call", &["search_manuscripts", "words=lamp"]).await.out.lines().count(), 8);
    assert_eq!(spec.run("read", &["shop://terms"]).await.out, spec.get("terms.md"));
    let prompt = spec.run("prompt", &["recommend", "taste=sea stories", "genre=adventure"]).await;
    assert!(prompt.out.starts_with("user:\nRecommend one of these books to somebody who likes sea stories"));
}

//! The ready-made specs, against stand-ins that answer as the real services do: the shapes are recorded, shortened.

use std::path::Path;

use serde_json::{Value, json};

use crate::harness::{Asked, Client, Era, Reply, Spec, Upstream};

/// The variables of Open-Meteo's four addresses.
const OPEN_METEO: &[&str] =
    &["OPEN_METEO_URL", "OPEN_METEO_ARCHIVE_URL", "OPEN_METEO_AIR_URL", "OPEN_METEO_PLACES_URL"];

/// A ready-made spec whose service is `api`; each of `variables` names its base URL.
async fn served(name: &str, variables: &[&str], api: &Upstream) -> Client {
    let spec = Spec::copy_of("specs", &format!("{name}.yaml")).env("GITHUB_TOKEN", "ghp_test");
    let spec = variables.iter().fold(spec, |spec, variable| spec.env(variable, &api.url("")));
    spec.stdio(Era::Modern).await
}

fn github(asked: &Asked) -> Reply {
    let limit = |reply: Reply| reply.header("x-ratelimit-remaining", "0").header("x-ratelimit-reset", "1793000000");
    if asked.header("authorization") != "Bearer ghp_test" || asked.header("x-github-api-version").is_empty() {
        return Reply::new(401, "application/json", r#"{"message":"Bad credentials"}"#);
    }
    match (asked.method.as_str(), asked.path()) {
        ("GET", "/search/repositories") => {
            Reply::json(&json!({ "total_count": 1, "incomplete_results": false, "items": [{
            "id": 1296269, "full_name": "octocat/Hello-World", "description": asked.param("q"), "stargazers_count": 80,
            "language": null, "updated_at": "2026-01-26T19:14:43Z" }] }))
        }
        ("GET", "/repos/octocat/Hello-World/issues") => {
            let page = asked.param("page").map_or(1, |page| page.parse::<u64>().unwrap());
            let issue = |number: u64| {
                json!({ "number": number, "title": format!("Issue {number}"), "state": "open",
                "user": { "login": "octocat" }, "labels": [{ "name": "bug" }], "comments": 0, "created_at": "2026-01-01T00:00:00Z" })
            };
            let mut pull = issue(page * 10 + 1);
            pull["pull_request"] = json!({ "url": "https://api.github.com/repos/octocat/Hello-World/pulls/1" });
            let reply = Reply::json(&json!([issue(page * 10), pull]));
            let host = asked.header("host");
            match page {
                1 | 2 => reply.header(
                    "link",
                    format!(
                        "<http://{host}/repos/octocat/Hello-World/issues?per_page=100&page={}>; rel=\"next\"",
                        page + 1
                    ),
                ),
                _ => reply,
            }
        }
        ("POST", "/repos/octocat/Hello-World/issues/7/comments") => {
            assert_eq!(asked.json(), json!({ "body": "Thanks" }));
            Reply::new(
                201,
                "application/json; charset=utf-8",
                r#"{"id":1,"html_url":"https://github.com/octocat/Hello-World/issues/7#issuecomment-1"}"#,
            )
        }
        ("GET", "/repos/octocat/Hello-World/pulls/1") => {
            Reply::new(200, "application/vnd.github.diff; charset=utf-8", "diff --git a/README b/README\n")
        }
        ("GET", "/repos/octocat/Hello-World/contents/src/main.rs") => {
            Reply::new(200, "application/vnd.github.raw+json; charset=utf-8", "fn main() {}\n")
        }
        ("GET", "/repos/octocat/Hello-World/readme") => {
            Reply::new(200, "application/vnd.github.raw+json; charset=utf-8", "# Hello\n")
        }
        ("GET", "/repos/octocat/Hello-World") => {
            Reply::json(&json!({ "full_name": "octocat/Hello-World", "description": "A first",
            "license": { "spdx_id": "MIT" }, "stargazers_count": 80, "default_branch": "main", "archived": false }))
        }
        ("GET", "/repos/octocat/Hello-World/issues/7") => {
            Reply::json(&json!({ "number": 7, "title": "Issue 7", "state": "open",
            "user": { "login": "octocat" }, "labels": [], "created_at": "2026-01-01T00:00:00Z", "body": "It is broken." }))
        }
        ("GET", "/repos/octocat/Hello-World/issues/7/comments") => Reply::json(
            &json!([{ "user": { "login": "octocat" }, "created_at": "2026-01-02T00:00:00Z", "body": "Indeed." }]),
        ),
        ("GET", "/repos/octocat/Hello-World/pulls") => {
            Reply::json(&json!([{ "number": 1, "title": "More", "state": "open",
            "draft": false, "user": { "login": "octocat" }, "head": { "label": "octocat:more" }, "base": { "ref": "main" } }]))
        }
        ("GET", "/repos/octocat/Hello-World/contents/src") => {
            Reply::json(&json!([{ "name": "main.rs", "path": "src/main.rs", "type": "file", "size": 13 }]))
        }
        ("GET", "/repos/octocat/Hello-World/commits") => {
            Reply::json(&json!([{ "sha": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
            "commit": { "author": { "name": "Octocat", "date": "2026-01-01T00:00:00Z" }, "message": "Add a file\n\nIt is new." } }]))
        }
        ("GET", "/repos/octocat/Hello-World/actions/runs") => {
            Reply::json(&json!({ "total_count": 1, "workflow_runs": [{ "id": 30,
            "name": "CI", "head_branch": "main", "event": "push", "status": "completed", "conclusion": "success" }] }))
        }
        ("POST", "/repos/octocat/Hello-World/issues") => Reply::new(
            201,
            "application/json",
            r#"{"number":8,"html_url":"https://github.com/octocat/Hello-World/issues/8"}"#,
        ),
        ("GET", "/search/code") => {
            limit(Reply::new(403, "application/json", r#"{"message":"API rate limit exceeded"}"#))
        }
        _ => Reply::new(
            404,
            "application/json",
            r#"{"message":"Not Found","documentation_url":"https://docs.github.com/rest","status":"404"}"#,
        ),
    }
}

#[tokio::test]
async fn github_answers() {
    let api = Upstream::start(github).await;
    let client = served("github", &["GITHUB_API_URL"], &api).await;
    let here = json!({ "owner": "octocat", "repo": "Hello-World" });
    let with = |more: Value| {
        let mut all = here.as_object().unwrap().clone();
        all.extend(more.as_object().unwrap().clone());
        Value::Object(all)
    };
    let found = client.json("search_repositories", json!({ "query": "hello stars:>10" })).await;
    assert_eq!(found["repositories"][0]["name"], "octocat/Hello-World");
    assert_eq!(found["repositories"][0]["description"], "hello stars:>10");
    let issues = client.json("list_issues", here.clone()).await;
    let numbers: Vec<i64> =
        issues["issues"].as_array().unwrap().iter().map(|i| i["number"].as_i64().unwrap()).collect();
    assert_eq!(numbers, [10, 20, 30], "three pages without their pull requests");
    assert_eq!(client.text("get_diff", with(json!({ "number": 1 }))).await, "diff --git a/README b/README\n");
    assert_eq!(client.text("get_file", with(json!({ "path": "src/main.rs" }))).await, "fn main() {}\n");
    let readme = client.read("github://octocat/Hello-World/readme").await;
    assert_eq!((&readme["text"], &readme["mimeType"]), (&json!("# Hello\n"), &json!("text/markdown")));
    let outside = client.fails("get_file", with(json!({ "path": "../../../user" }))).await;
    assert_eq!(outside, "`path` can't make a part of the path `.` or `..`");
    let limited = client.fails("search_code", json!({ "query": "x" })).await;
    assert_eq!(
        limited,
        "GitHub refuses: API rate limit exceeded (the limit is reset at 1793000000, in seconds since 1970)"
    );
    assert!(client.fails("get_repository", json!({ "owner": "nobody", "repo": "x" })).await.contains("Not Found"));
    assert!(
        client.prompt("triage", here).await[0]["content"]["text"]
            .as_str()
            .unwrap()
            .contains("#10 Issue 10 (0 comments) [bug]")
    );
}

fn wikipedia(asked: &Asked) -> Reply {
    match asked.path() {
        "/w/rest.php/v1/search/page" => {
            Reply::json(&json!({ "pages": [{ "id": 38930, "key": "Jupiter", "title": "Jupiter",
            "excerpt": "<span class=\"searchmatch\">Jupiter</span> is the fifth planet", "matched_title": null,
            "description": "Fifth planet from the Sun", "thumbnail": null }] }))
        }
        "/w/rest.php/v1/page/Jupiter/links/language" => Reply::json(
            &json!([{ "code": "de", "name": "Deutsch", "key": "Jupiter_(Planet)", "title": "Jupiter (Planet)" }]),
        ),
        "/w/rest.php/v1/search/title" => {
            Reply::json(&json!({ "pages": [{ "title": "Jupiter" }, { "title": "Jupiter (god)" }] }))
        }
        "/api/rest_v1/page/summary/Jupiter" => Reply::json(&json!({ "type": "standard", "title": "Jupiter",
            "description": "Fifth planet from the Sun", "extract": "Jupiter is the fifth planet from the Sun.",
            "content_urls": { "desktop": { "page": "https://en.wikipedia.org/wiki/Jupiter" } } })),
        "/api/rest_v1/page/html/Jupiter" | "/api/rest_v1/page/html/AC%2FDC" => Reply::new(
            200,
            "text/html; charset=utf-8; profile=\"https://www.mediawiki.org/wiki/Specs/HTML/2.8.0\"",
            "<!DOCTYPE html><html><head><title>Jupiter</title><style>p{}</style></head><body><section><p><b>Jupiter</b> is the \
             <a href=\"./Fifth\">fifth</a> <a href=\"./Planet\">planet</a>.</p></section><section><h2>Moons</h2><ul><li>Io</li>\
             <li>Europa</li></ul><table><tr><th>Name</th><th>km</th></tr><tr><td>Io</td><td>3643</td></tr></table></section></body></html>",
        ),
        "/api/rest_v1/feed/onthisday/events/7/20" => {
            Reply::json(&json!({ "events": [{ "text": "Apollo 11 lands.", "year": 1969, "pages": [] }] }))
        }
        _ => Reply::new(404, "application/problem+json", r#"{"title":"Not found."}"#),
    }
}

#[tokio::test]
async fn wikipedia_answers() {
    let api = Upstream::start(wikipedia).await;
    let client = served("wikipedia", &["WIKIPEDIA_URL"], &api).await;
    let pages = client.json("search", json!({ "q": "jupiter" })).await;
    assert_eq!(pages["pages"][0]["excerpt"], "Jupiter is the fifth planet");
    let summary = client.json("summary", json!({ "title": "Jupiter" })).await;
    assert_eq!(summary["url"], "https://en.wikipedia.org/wiki/Jupiter");
    let article = "**Jupiter** is the [fifth](./Fifth) [planet](./Planet).\n\n## Moons\n\n- Io\n- Europa\n\n\
                   | Name | km |\n| --- | --- |\n| Io | 3643 |";
    assert_eq!(client.text("article", json!({ "title": "Jupiter" })).await, article);
    assert_eq!(client.text("article", json!({ "title": "AC/DC" })).await, article);
    let read = client.read("wikipedia://Jupiter").await;
    assert_eq!((&read["text"], &read["mimeType"]), (&json!(article), &json!("text/markdown")));
    assert_eq!(
        client.complete("wikipedia://{title}", "title", "Jup").await["values"],
        json!(["Jupiter", "Jupiter (god)"])
    );
    let day = client.json("on_this_day", json!({ "month": 7, "day": 20, "kind": "events" })).await;
    assert_eq!(day["events"][0]["year"], 1969);
    assert_eq!(
        client.fails("summary", json!({ "title": "Nowhere" })).await,
        "There is no article of this title. Use search."
    );
}

fn prometheus(asked: &Asked) -> Reply {
    let data = |data: Value| Reply::json(&json!({ "status": "success", "data": data }));
    match asked.path() {
        "/api/v1/query" if asked.param("query").as_deref() == Some("up{") => Reply::new(
            400,
            "application/json",
            r#"{"status":"error","errorType":"bad_data","error":"invalid parameter \"query\": 1:4: parse error: unexpected end of input inside braces"}"#,
        ),
        "/api/v1/query" if asked.param("query").as_deref() == Some("1+1") => {
            data(json!({ "resultType": "scalar", "result": [1435781451.781_f64, "2"] }))
        }
        "/api/v1/query" => data(
            json!({ "resultType": "vector", "result": [{ "metric": { "__name__": "up", "job": "node" }, "value": [1435781451.781_f64, "1"] }] }),
        ),
        "/api/v1/query_range" => data(
            json!({ "resultType": "matrix", "result": [{ "metric": { "job": "node" }, "values": [[1435781430.781_f64, "1"], [1435781445.781_f64, "0"]] }] }),
        ),
        "/api/v1/metadata" => {
            data(json!({ "up": [{ "type": "gauge", "help": "Whether the scrape went well.", "unit": "" }] }))
        }
        "/api/v1/series" => data(json!([{ "__name__": "up", "selector": asked.param("match[]") }])),
        "/api/v1/label/job/values" => data(json!(["node", "prometheus"])),
        "/api/v1/targets" => {
            data(json!({ "activeTargets": [{ "labels": { "job": "node", "instance": "n:9100" }, "health": "down",
            "lastError": "connection refused", "lastScrape": "2026-01-01T00:00:00Z", "scrapeUrl": "http://n:9100/metrics" }], "droppedTargets": [] }))
        }
        "/api/v1/alerts" => data(
            json!({ "alerts": [{ "activeAt": "2026-01-01T00:00:00Z", "annotations": {}, "labels": { "alertname": "Down" }, "state": "firing", "value": "1e+00" }] }),
        ),
        "/api/v1/rules" => data(
            json!({ "groups": [{ "name": "g", "rules": [{ "name": "Down", "query": "up == 0", "type": "alerting", "health": "ok", "state": "firing" }] }] }),
        ),
        _ => Reply::nothing(),
    }
}

#[tokio::test]
async fn prometheus_answers() {
    let api = Upstream::start(prometheus).await;
    let client = served("prometheus", &["PROMETHEUS_URL"], &api).await;
    let up = client.json("query", json!({ "query": "up" })).await;
    let sample = json!({ "labels": { "__name__": "up", "job": "node" }, "time": 1435781451.781_f64, "value": "1" });
    assert_eq!(up, json!({ "type": "vector", "result": [sample] }));
    assert_eq!(client.json("query", json!({ "query": "1+1" })).await["result"][1], "2");
    let words = client.fails("query", json!({ "query": "up{" })).await;
    assert!(words.starts_with("Prometheus can't run that: invalid parameter \"query\": 1:4"), "{words}");
    let range = json!({ "query": "up", "start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z" });
    assert_eq!(client.json("query_range", range).await["series"][0]["points"][1][1], "0");
    assert_eq!(api.asked().last().unwrap().param("step").as_deref(), Some("1m"));
    assert_eq!(client.json("metrics", json!({})).await["metrics"][0]["type"], "gauge");
    let series = client.json("series", json!({ "selector": "up{job=\"a&b\"}" })).await;
    assert_eq!(series["series"][0]["selector"], "up{job=\"a&b\"}");
    assert_eq!(client.json("label_values", json!({ "label": "job" })).await["values"], json!(["node", "prometheus"]));
    assert_eq!(client.json("targets", json!({})).await["targets"][0]["lastError"], "connection refused");
    assert_eq!(client.json("alerts", json!({})).await["alerts"][0]["name"], "Down");
    assert_eq!(client.json("rules", json!({})).await["rules"][0]["group"], "g");
    let prompt = client.prompt("investigate", json!({ "alert": "Down" })).await;
    assert!(prompt[0]["content"]["text"].as_str().unwrap().contains("- Down: up == 0"));
}

/// As Datasette 0.65 answers.
fn datasette(asked: &Asked) -> Reply {
    let host = asked.header("host");
    match asked.path() {
        "/-/databases.json" => Reply::json(
            &json!([{ "name": "shop", "route": "shop", "path": "/data/shop.db", "size": 16384, "is_mutable": true, "is_memory": false, "hash": null }]),
        ),
        "/shop.json" if asked.param("sql").as_deref() == Some("selekt") => Reply::new(
            400,
            "application/json; charset=utf-8",
            r#"{"ok": false, "error": "Statement must be a SELECT", "status": 400, "title": "Invalid SQL"}"#,
        ),
        "/shop.json" if asked.param("sql").is_some() => {
            Reply::json(&json!({ "ok": true, "database": "shop", "query_name": null,
            "rows": [{ "n": 250 }], "truncated": false, "columns": ["n"], "query": { "sql": "", "params": {} }, "error": null }))
        }
        "/shop.json" => Reply::json(&json!({ "database": "shop", "path": "/shop", "tables": [
            { "name": "books", "columns": ["id", "title"], "primary_keys": ["id"], "count": 250, "hidden": false },
            { "name": "books_fts", "columns": [], "primary_keys": [], "count": 9, "hidden": true }] })),
        "/shop/books.json" => {
            let from = asked.param("_next").map_or(0, |next| next.parse::<u64>().unwrap());
            let rows: Vec<Value> =
                (from..(from + 100).min(250)).map(|id| json!({ "id": id, "title": format!("book {id}") })).collect();
            let next = (from + 100 < 250)
                .then(|| format!("http://{host}/shop/books.json?_shape=objects&_size=100&_next={}", from + 100));
            Reply::json(
                &json!({ "database": "shop", "table": "books", "rows": rows, "truncated": false, "next_url": next }),
            )
        }
        "/shop/books.csv" => Reply::new(200, "text/plain; charset=utf-8", "id,title\r\n0,book 0\r\n"),
        _ => Reply::new(
            404,
            "application/json; charset=utf-8",
            r#"{"ok": false, "error": "Table not found", "status": 404, "title": null}"#,
        ),
    }
}

#[tokio::test]
async fn datasette_answers() {
    let api = Upstream::start(datasette).await;
    let client = served("datasette", &["DATASETTE_URL"], &api).await;
    assert_eq!(
        client.json("databases", json!({})).await["databases"][0],
        json!({ "name": "shop", "size": 16384, "readOnly": false })
    );
    let tables = client.json("tables", json!({ "database": "shop" })).await;
    assert_eq!(
        tables["tables"],
        json!([{ "name": "books", "columns": ["id", "title"], "primaryKeys": ["id"], "rows": 250 }])
    );
    let rows = client.json("rows", json!({ "database": "shop", "table": "books" })).await;
    assert_eq!((rows["rows"].as_array().unwrap().len(), &rows["rows"][249]["title"]), (250, &json!("book 249")));
    let counted = client.json("query", json!({ "database": "shop", "sql": "select count(*) as n from books" })).await;
    assert_eq!(counted, json!({ "rows": [{ "n": 250 }], "truncated": false }));
    assert_eq!(
        client.fails("query", json!({ "database": "shop", "sql": "selekt" })).await,
        "Datasette can't do that: Statement must be a SELECT"
    );
    assert_eq!(client.fails("rows", json!({ "database": "shop", "table": "nope" })).await, "Table not found");
    let read = client.read("datasette://shop/books").await;
    assert_eq!(read["text"], r#"[{"id":"0","title":"book 0"}]"#);
}

fn open_meteo(asked: &Asked) -> Reply {
    match asked.path() {
        _ if asked.param("latitude").as_deref() == Some("1") => {
            Reply::new(400, "application/json", r#"{"error":true,"reason":"No data for this location"}"#)
        }
        "/v1/search" if asked.param("name").as_deref() == Some("Nowhere") => {
            Reply::json(&json!({ "generationtime_ms": 0.5 }))
        }
        "/v1/search" => Reply::json(
            &json!({ "results": [{ "id": 2950159, "name": "Berlin", "latitude": 52.52437, "longitude": 13.41053,
            "elevation": 74.0, "country_code": "DE", "country": "Germany", "admin1": "Land Berlin", "population": 3426354, "timezone": "Europe/Berlin" }], "generationtime_ms": 0.7 }),
        ),
        "/v1/forecast" if asked.param("current").is_some() => {
            Reply::json(&json!({ "latitude": 52.52, "longitude": 13.41, "timezone": "Europe/Berlin",
            "current_units": { "time": "iso8601", "interval": "seconds", "temperature_2m": "°C" },
            "current": { "time": "2026-01-01T12:00", "interval": 900, "temperature_2m": 2.4 } }))
        }
        "/v1/forecast" | "/v1/archive" => {
            let days = asked.param("forecast_days").map_or(2, |days| days.parse::<usize>().unwrap());
            let each = |value: &str| (0..days).map(|day| json!(format!("{value}{}", day + 1))).collect::<Vec<_>>();
            Reply::json(
                &json!({ "timezone": "Europe/Berlin", "daily_units": { "time": "iso8601", "temperature_2m_max": "°C" },
                "daily": { "time": each("2026-01-0"), "temperature_2m_max": each("1") } }),
            )
        }
        "/v1/air-quality" => {
            Reply::json(&json!({ "current_units": { "time": "iso8601", "interval": "seconds", "pm10": "μg/m³" },
            "current": { "time": "2026-01-01T12:00", "interval": 3600, "pm10": 12.3 } }))
        }
        _ => Reply::nothing(),
    }
}

#[tokio::test]
async fn open_meteo_answers() {
    let api = Upstream::start(open_meteo).await;
    let client = served("open-meteo", OPEN_METEO, &api).await;
    let berlin = json!({ "latitude": 52.52, "longitude": 13.41 });
    let found = client.json("find_place", json!({ "name": "Berlin" })).await;
    assert_eq!(
        (&found["places"][0]["region"], &found["places"][0]["latitude"]),
        (&json!("Land Berlin"), &json!(52.52437))
    );
    let now = client.json("current_weather", berlin.clone()).await;
    assert_eq!(
        (&now["values"], &now["units"]),
        (&json!({ "temperature_2m": 2.4 }), &json!({ "temperature_2m": "°C" }))
    );
    let days = client.json("forecast", json!({ "latitude": 52.52, "longitude": 13.41, "days": 3 })).await;
    assert_eq!(days["days"][2], json!({ "time": "2026-01-03", "temperature_2m_max": "13" }));
    let past = json!({ "latitude": 52.52, "longitude": 13.41, "start_date": "2026-01-01", "end_date": "2026-01-02" });
    assert_eq!(client.json("past_weather", past).await["days"].as_array().unwrap().len(), 2);
    assert_eq!(client.json("air_quality", berlin).await["values"]["pm10"], 12.3);
    let weather = client.json("weather_in", json!({ "place": "Berlin" })).await;
    assert_eq!((&weather["place"]["country"], weather["days"].as_array().unwrap().len()), (&json!("Germany"), 3));
    let words = client.fails("forecast", json!({ "latitude": 1, "longitude": 1 })).await;
    assert_eq!(words, "Open-Meteo can't do that: No data for this location");
    let wrong = client.fails("current_weather", json!({ "latitude": 91, "longitude": 0 })).await;
    assert!(wrong.contains("latitude"), "{wrong}");
    assert!(client.fails("weather_in", json!({ "place": "Nowhere" })).await.contains("latitude"));
}

/// As the Open Library answers.
fn open_library(asked: &Asked) -> Reply {
    match asked.path() {
        "/isbn/9780441172719.json" => Reply::new(302, "text/html", "").header("location", "/books/OL7521615M.json"),
        "/books/OL7521615M.json" => Reply::json(&json!({ "title": "Dune", "number_of_pages": 528,
            "publish_date": "August 2, 2005", "publishers": ["Ace"], "key": "/books/OL7521615M" })),
        _ => Reply::nothing(),
    }
}

/// What `test --record` keeps of a stand-in's answers; it is written anew with `UPDATE_EXPECTED=1`.
async fn is_recorded(folder: &str, name: &str, variables: &[&str], api: fn(&Asked) -> Reply) {
    let api = Upstream::start(api).await;
    let spec = Spec::copy_of(folder, &format!("{name}.yaml")).env("GITHUB_TOKEN", "ghp_test");
    let spec = variables.iter().fold(spec, |spec, variable| spec.env(variable, &api.url("")));
    let run = spec.run("test", &["--record"]).await;
    assert_eq!(run.code, 0, "{name}: {}{}", run.out, run.err);
    let file = format!("{name}.recordings.json");
    let recorded = spec.get(&file);
    assert!(!recorded.contains("ghp_test") && !recorded.contains(&api.port.to_string()), "{name}: {recorded}");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(file);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&kept, &recorded).unwrap();
    }
    let kept = std::fs::read_to_string(kept).unwrap_or_default();
    assert_eq!(recorded, kept, "{name}: UPDATE_EXPECTED=1 writes it anew");
}

#[tokio::test]
async fn recordings_are_what_the_stand_ins_answer() {
    is_recorded("specs", "github", &["GITHUB_API_URL"], github).await;
    is_recorded("specs", "wikipedia", &["WIKIPEDIA_URL"], wikipedia).await;
    is_recorded("specs", "prometheus", &["PROMETHEUS_URL"], prometheus).await;
    is_recorded("specs", "datasette", &["DATASETTE_URL"], datasette).await;
    is_recorded("specs", "open-meteo", OPEN_METEO, open_meteo).await;
    is_recorded("examples/bookshop", "bookshop", &["OPENLIBRARY_URL"], open_library).await;
}

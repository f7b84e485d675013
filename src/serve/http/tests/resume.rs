//! Sessions: what they remember, and when they end.

use super::*;

/// The id and data of the next event with data, from a stream that stays open.
async fn event(stream: &mut Response) -> (String, Value) {
    let mut text = String::new();
    loop {
        let chunk = tokio::time::timeout(SOON, stream.chunk()).await.unwrap().unwrap();
        text += std::str::from_utf8(&chunk.expect("the stream ended")).unwrap();
        let field = |name: &str| text.lines().rev().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if let Some(data) = field("data:").filter(|data| !data.is_empty()) {
            return (field("id:").unwrap_or_default().to_owned(), serde_json::from_str(data).unwrap());
        }
    }
}

impl Site {
    fn get(&self, session: &str) -> RequestBuilder {
        self.ask(Method::GET).header("accept", "text/event-stream").header("mcp-session-id", session)
    }

    fn in_session(&self, session: &str, message: &Value) -> RequestBuilder {
        self.post(message).header("mcp-session-id", session)
    }
}

#[tokio::test]
async fn an_answer_is_fetched_after_its_stream_was_lost() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let mut stream = site.in_session(&session, &call(1, "slow", json!({"ms": 500}), false)).send().await.unwrap();
    let first = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let place = first.lines().find_map(|line| line.strip_prefix("id:")).unwrap().trim().to_owned();
    assert!(first.contains("retry:"), "{first}");
    drop(stream);
    // While it runs, and twice after it ended: what was sent may have been lost on the way.
    for _ in 0..3 {
        let resumed = site.get(&session).header("last-event-id", &place).send().await.unwrap();
        let answer = message(resumed).await;
        assert_eq!((text_of(&answer), &answer["id"]), ("slept", &json!(1)));
    }
    assert_eq!(site.echo.seen.borrow().cancelled, 0, "a lost stream cancels nothing");
}

#[tokio::test]
async fn nothing_is_told_twice_or_to_others() {
    let site = Site::new().await;
    let (session, other) = (site.session("2025-11-25").await, site.session("2025-11-25").await);
    let answered = site.in_session(&session, &call(1, "echo", json!({"text": "x"}), false)).send().await.unwrap();
    let text = answered.text().await.unwrap();
    let last = text.lines().filter_map(|line| line.strip_prefix("id:")).next_back().unwrap().trim().to_owned();
    for (session, place) in [(&session, last.as_str()), (&other, "1/0"), (&session, "1/99"), (&session, "nonsense")] {
        let resumed = site.get(session).header("last-event-id", place).send().await.unwrap();
        assert_eq!((resumed.status().as_u16(), resumed.text().await.unwrap().as_str()), (200, ""), "{place}");
    }
    let gone = site.get("no-such").header("last-event-id", "1/0").send().await.unwrap();
    assert_eq!(gone.status(), 404);
}

#[tokio::test]
async fn what_was_said_while_nobody_listened_is_told_once() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let notify = async |id: i64| {
        let told = site.in_session(&session, &call(id, "notify", json!({}), false)).send().await.unwrap();
        message(told).await;
    };
    notify(1).await;
    let mut stream = site.get(&session).send().await.unwrap();
    let (first, told) = event(&mut stream).await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    drop(stream);
    notify(2).await;
    let mut resumed = site.get(&session).header("last-event-id", &first).send().await.unwrap();
    let (second, _) = event(&mut resumed).await;
    assert_ne!(first, second);
    let nothing = tokio::time::timeout(Duration::from_millis(300), resumed.chunk()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn of_two_streams_the_newer_one_is_told() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let mut old = site.get(&session).send().await.unwrap();
    let mut new = site.get(&session).send().await.unwrap();
    message(site.in_session(&session, &call(1, "notify", json!({}), false)).send().await.unwrap()).await;
    let (_, told) = event(&mut new).await;
    assert_eq!(told["method"], "notifications/tools/list_changed");
    old.chunk().await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_millis(300), old.chunk()).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

#[tokio::test]
async fn an_id_in_flight_can_not_be_used_again() {
    let site = Site::new().await;
    let session = site.session("2025-11-25").await;
    let slow = tokio::spawn(site.in_session(&session, &call(1, "slow", json!({"ms": 500}), false)).send());
    site.echo.until(|seen| seen.started == 1).await;
    let again = site.in_session(&session, &call(1, "echo", json!({"text": "x"}), false));
    assert_eq!(message(again.send().await.unwrap()).await["error"]["code"], -32600);
    assert_eq!(text_of(&message(slow.await.unwrap().unwrap()).await), "slept");
    let later = site.in_session(&session, &call(1, "echo", json!({"text": "x"}), false));
    assert_eq!(text_of(&message(later.send().await.unwrap()).await), "x");
}

#[tokio::test]
async fn unused_sessions_end_and_used_ones_do_not() {
    let site = Site::with(HttpConfig { session_idle: Duration::from_millis(400), ..HttpConfig::default() }).await;
    let (unused, streaming) = (site.session("2025-06-18").await, site.session("2025-06-18").await);
    let calling = site.session("2025-06-18").await;
    let _stream = site.get(&streaming).send().await.unwrap();
    let slow = site.in_session(&calling, &call(1, "slow", json!({"ms": 1500}), false)).send().await.unwrap();
    assert_eq!(text_of(&message(slow).await), "slept");
    let ping = async |session: &str| {
        let response = site.in_session(session, &request(2, "ping", json!({}), false)).send().await.unwrap();
        response.status().as_u16()
    };
    assert_eq!((ping(&unused).await, ping(&streaming).await), (404, 200));
}

#[tokio::test]
async fn session_ids_are_long_and_unlike() {
    let site = Site::new().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(site.session("2025-11-25").await);
    }
    for (index, id) in ids.iter().enumerate() {
        assert!(id.len() >= 32 && id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
        let alike = |other: &String| other.bytes().zip(id.bytes()).filter(|(a, b)| a == b).count();
        assert!(ids.iter().take(index).all(|other| alike(other) < 20), "{ids:?}");
    }
}

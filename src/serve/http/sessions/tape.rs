//! What one event stream says, kept for a while: a client that lost the stream takes it up where it was
//! (`Last-Event-ID`), and a client that does not read holds nothing up.

use std::{
    collections::{BTreeSet, VecDeque},
    time::{Duration, Instant},
};

use futures_util::{Stream, StreamExt, stream};
use rmcp::{model::JsonRpcMessage, transport::streamable_http_server::session::ServerSseMessage};
use tokio::sync::watch;

/// The most events that are kept. Who falls behind further misses the oldest.
const KEPT: usize = 256;

/// A stream's events, and who reads them. Clones are the same tape.
#[derive(Debug, Clone)]
pub(super) struct Tape(watch::Sender<Reel>);

#[derive(Debug)]
struct Reel {
    /// The name of the tape in its session; None for the stream that is opened by GET.
    name: Option<u64>,
    events: VecDeque<ServerSseMessage>,
    /// The number of the first event that is kept.
    first: u64,
    /// The number of the first event that nobody has read.
    unread: u64,
    /// Open streams. Only the last one reads: each event goes out on one stream (MCP 2025-11-25, transports).
    readers: BTreeSet<u64>,
    next_reader: u64,
    ended: Option<Instant>,
}

/// A place on a tape, as clients name it: `EVENT` or `EVENT/NAME`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Place {
    pub(super) name: Option<u64>,
    event: u64,
}

impl Place {
    pub(super) fn read(text: &str) -> Option<Place> {
        let number = |text: &str| text.parse().ok();
        match text.split_once('/') {
            Some((event, name)) => Some(Place { name: Some(number(name)?), event: number(event)? }),
            None => Some(Place { name: None, event: number(text)? }),
        }
    }

    fn write(self) -> String {
        match self.name {
            Some(name) => format!("{}/{name}", self.event),
            None => self.event.to_string(),
        }
    }
}

impl Reel {
    fn push(&mut self, mut event: ServerSseMessage) {
        let number = self.first + u64::try_from(self.events.len()).unwrap_or(u64::MAX);
        event.event_id = Some(Place { name: self.name, event: number }.write());
        self.events.push_back(event);
        if self.events.len() > KEPT {
            self.events.pop_front();
            self.first += 1;
            self.unread = self.unread.max(self.first);
        }
    }

    fn take(&mut self) -> Option<ServerSseMessage> {
        let index = usize::try_from(self.unread.checked_sub(self.first)?).ok()?;
        let event = self.events.get(index)?.clone();
        self.unread += 1;
        Some(event)
    }

    fn has_unread(&self) -> bool {
        self.unread < self.first + u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }
}

impl Tape {
    /// Events are numbered from 1: rmcp begins a GET stream with an empty event of number 0.
    pub(super) fn new(name: Option<u64>) -> Tape {
        let reel = Reel {
            name,
            events: VecDeque::new(),
            first: 1,
            unread: 1,
            readers: BTreeSet::new(),
            next_reader: 0,
            ended: None,
        };
        Tape(watch::Sender::new(reel))
    }

    pub(super) fn push(&self, event: ServerSseMessage) {
        self.0.send_modify(|reel| reel.push(event));
    }

    /// Nothing more will be said.
    pub(super) fn end(&self) {
        self.0.send_modify(|reel| reel.ended = Some(Instant::now()));
    }

    /// Records `events` to their end, whether anybody reads or not.
    pub(super) async fn record(&self, events: impl Stream<Item = ServerSseMessage>) {
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            self.push(event);
        }
        self.end();
    }

    /// The same up to an answer, which nothing follows. `waiting` is dropped before anybody can hear of that: its
    /// reader may ask again at once.
    pub(super) async fn record_answer<W>(&self, events: impl Stream<Item = ServerSseMessage>, waiting: W) {
        let mut events = std::pin::pin!(events);
        while let Some(event) = events.next().await {
            if is_answer(&event) {
                drop(waiting);
                return self.0.send_modify(|reel| {
                    reel.ended = Some(Instant::now());
                    reel.push(event);
                });
            }
            self.push(event);
        }
        drop(waiting);
        self.end();
    }

    pub(super) fn ended_for(&self, long: Duration) -> bool {
        self.0.borrow().ended.is_some_and(|ended| ended.elapsed() >= long)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.0.borrow().ended.is_some()
    }

    /// Goes back to what follows `place`, as far as it is kept. A client that heard nothing (0) goes on where the
    /// last one stopped.
    pub(super) fn rewind(&self, place: Place) {
        if place.event == 0 {
            return;
        }
        self.0.send_modify(|reel| {
            let end = reel.first + u64::try_from(reel.events.len()).unwrap_or(u64::MAX);
            reel.unread = place.event.saturating_add(1).clamp(reel.first, end);
        });
    }

    /// What nobody has read yet and what will be said, until the end or until another stream is opened; then, once
    /// that one is gone, on from there.
    pub(super) fn play(self) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
        let mut number = 0;
        self.0.send_modify(|reel| {
            number = reel.next_reader;
            reel.next_reader += 1;
            reel.readers.insert(number);
        });
        let state = (self.0.subscribe(), Reading { tape: self, number });
        stream::unfold(state, |(mut reel, reading)| async move {
            let event = reading.next(&mut reel).await?;
            Some((event, (reel, reading)))
        })
    }
}

fn is_answer(event: &ServerSseMessage) -> bool {
    let message = event.message.as_deref();
    matches!(message, Some(JsonRpcMessage::Response(_) | JsonRpcMessage::Error(_)))
}

/// One of the streams that are open.
struct Reading {
    tape: Tape,
    number: u64,
}

impl Reading {
    async fn next(&self, reel: &mut watch::Receiver<Reel>) -> Option<ServerSseMessage> {
        loop {
            let turn = |reel: &Reel| reel.readers.last() == Some(&self.number) && reel.has_unread();
            // Fails only when the sender is gone, of which this holds one.
            let _ = reel.wait_for(|reel| turn(reel) || reel.ended.is_some()).await;
            let (mut event, mut over) = (None, false);
            self.tape.0.send_if_modified(|reel| {
                event = turn(reel).then(|| reel.take()).flatten();
                over = event.is_none() && reel.ended.is_some();
                false
            });
            if event.is_some() || over {
                return event;
            }
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.tape.0.send_modify(|reel| {
            reel.readers.remove(&self.number);
        });
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;

    fn event() -> ServerSseMessage {
        ServerSseMessage::retry(Duration::from_secs(3))
    }

    async fn next(stream: &mut (impl Stream<Item = ServerSseMessage> + Unpin)) -> Option<String> {
        let next = timeout(Duration::from_millis(100), stream.next()).await;
        next.map_or(Some("nothing yet".to_owned()), |event| event.and_then(|event| event.event_id))
    }

    fn ids(from: u64, to: u64) -> Vec<Option<String>> {
        (from..=to).map(|number| Some(format!("{number}/7"))).collect()
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        for text in ["0", "17", "3/0", "12/999"] {
            assert_eq!(Place::read(text).unwrap().write(), text);
        }
        for text in ["", "/", "a", "1/", "/1", "1/2/3", "-1", "1/x", "99999999999999999999"] {
            assert_eq!(Place::read(text), None, "{text}");
        }
    }

    #[tokio::test]
    async fn a_lost_stream_is_taken_up() {
        let tape = Tape::new(Some(7));
        (0..4).for_each(|_| tape.push(event()));
        let mut lost = Box::pin(tape.clone().play());
        assert_eq!([next(&mut lost).await, next(&mut lost).await], *ids(1, 2));
        drop(lost);
        tape.end();
        tape.rewind(Place::read("1/7").unwrap());
        let rest: Vec<_> = tape.clone().play().map(|event| event.event_id).collect().await;
        assert_eq!(rest, ids(2, 4));
        let nothing: Vec<_> = tape.clone().play().collect().await;
        assert_eq!(nothing.len(), 0);
    }

    #[tokio::test]
    async fn each_event_goes_to_the_newest_stream_alone() {
        let tape = Tape::new(Some(7));
        let mut old = Box::pin(tape.clone().play());
        let mut new = Box::pin(tape.clone().play());
        tape.push(event());
        assert_eq!(next(&mut old).await.as_deref(), Some("nothing yet"));
        assert_eq!(next(&mut new).await.as_deref(), Some("1/7"));
        tape.push(event());
        drop(new);
        assert_eq!(next(&mut old).await.as_deref(), Some("2/7"), "the old one goes on");
        tape.end();
        assert_eq!(next(&mut old).await, None);
    }

    #[tokio::test]
    async fn a_stream_that_nobody_reads_stays_short() {
        let tape = Tape::new(Some(7));
        (0..1000).for_each(|_| tape.push(event()));
        tape.end();
        tape.rewind(Place::read("2/7").unwrap());
        let kept: Vec<_> = tape.clone().play().map(|event| event.event_id).collect().await;
        assert_eq!(kept, ids(1001 - 256, 1000));
        tape.rewind(Place::read("5000/7").unwrap());
        assert_eq!(tape.clone().play().count().await, 0, "a place that never was");
    }

    #[tokio::test]
    async fn readers_wait_for_what_comes() {
        let tape = Tape::new(Some(7));
        let reading = tokio::spawn(tape.clone().play().map(|event| event.event_id).collect::<Vec<_>>());
        tokio::task::yield_now().await;
        tape.record(stream::iter([event(), event()])).await;
        assert_eq!(reading.await.unwrap(), ids(1, 2));
        assert!(tape.has_ended() && !tape.ended_for(Duration::from_secs(60)));
    }
}

//! The line to the client while a call runs. It carries plain messages; the server puts them into MCP.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::Level;
use crate::outcome::{ActionError, ErrorKind};

/// Messages that wait for a client that reads slowly; what comes on top is left out.
const MOST_WAITING: usize = 256;
/// How long a step waits for room.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a client can be asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Forms for the user.
    pub elicitation: bool,
    /// Web pages that the user is sent to.
    pub urls: bool,
    /// Its language model.
    pub sampling: bool,
    /// The folders that it works in.
    pub roots: bool,
    /// To come back for what a call gives: MCP's extension `io.modelcontextprotocol/tasks`.
    pub tasks: bool,
}

impl Capabilities {
    /// Those of these that `other` lacks.
    pub fn without(self, other: Capabilities) -> Capabilities {
        Capabilities {
            elicitation: self.elicitation && !other.elicitation,
            urls: self.urls && !other.urls,
            sampling: self.sampling && !other.sampling,
            roots: self.roots && !other.roots,
            tasks: self.tasks && !other.tasks,
        }
    }

    /// These and those of `other`.
    pub fn and(self, other: Capabilities) -> Capabilities {
        Capabilities {
            elicitation: self.elicitation || other.elicitation,
            urls: self.urls || other.urls,
            sampling: self.sampling || other.sampling,
            roots: self.roots || other.roots,
            tasks: self.tasks || other.tasks,
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self == Capabilities::default()
    }

    /// MCP's words for them.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.elicitation, "elicitation"),
            (self.urls, "elicitation.url"),
            (self.sampling, "sampling"),
            (self.roots, "roots"),
            (self.tasks, "tasks"),
        ];
        all.into_iter().filter_map(|(has, name)| has.then_some(name)).collect()
    }
}

/// What a client wants to hear of a call, and what it can be asked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wants {
    /// What it can be asked for.
    pub capabilities: Capabilities,
    /// The least level of log messages; `None`: no messages.
    pub level: Option<Level>,
    /// Whether it is told how far the call is.
    pub progress: bool,
    /// Whether the call may become a task once it begins to do something.
    pub task: bool,
}

/// A message to the client.
#[derive(Debug)]
pub enum Message {
    /// How far the call is; `progress` only ever grows.
    Progress {
        /// How much is done.
        progress: f64,
        /// Out of how much.
        total: Option<f64>,
        /// In words.
        message: Option<String>,
    },
    /// A log message of a level that the client wants.
    Log {
        /// How grave it is.
        level: Level,
        /// What says it.
        logger: Option<String>,
        /// What it says.
        data: Value,
    },
    /// The user is done at a web page, by the name that its question had.
    Visited(String),
    /// Questions, all at once, and where the answers go.
    Ask(Vec<Input>, oneshot::Sender<Reply>),
    /// The call can't go on, as the client lacks these.
    Lacks(Capabilities),
    /// The call begins to do something, as soon as it is told to; until here it has asked at most.
    Begins(oneshot::Sender<()>),
}

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Its name, unlike that of any other question of the call.
    pub key: String,
    /// What is wanted.
    pub request: Request,
}

/// What a client can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// MCP's `elicitation/create`: a form for the user.
    Elicit {
        /// What the user is told.
        message: String,
        /// The form, a JSON Schema as MCP allows it there.
        schema: Value,
    },
    /// MCP's `elicitation/create` in `url` mode: a web page for the user to visit.
    Visit {
        /// What the user is told.
        message: String,
        /// The page.
        url: String,
        /// What tells that it is done, up to 2025-11-25.
        id: Option<String>,
    },
    /// MCP's `sampling/createMessage`, with these params.
    Sample(Value),
    /// MCP's `roots/list`.
    Roots,
}

impl Request {
    /// What the client has to declare for it.
    pub fn needs(&self) -> Capabilities {
        let none = Capabilities::default();
        match self {
            Request::Elicit { .. } => Capabilities { elicitation: true, ..none },
            Request::Visit { .. } => Capabilities { urls: true, ..none },
            Request::Sample(_) => Capabilities { sampling: true, ..none },
            Request::Roots => Capabilities { roots: true, ..none },
        }
    }
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// MCP's results, unchecked, by the questions' keys; some may be missing.
    Answers(Map<String, Value>),
    /// The client is asked by the answer to its call, and calls again.
    Later,
    /// It could not be asked, or refused, for this reason.
    Failed(String),
}

/// The client that made a call. Without one nothing is heard and nothing can be asked.
#[derive(Debug, Clone, Default)]
pub struct Client(Option<Arc<Line>>);

#[derive(Debug)]
struct Line {
    messages: mpsc::Sender<Message>,
    wants: Wants,
    /// The last progress that was told.
    told: Mutex<Option<f64>>,
    left_out: AtomicUsize,
    begun: AtomicBool,
}

impl Client {
    /// A client and the end of the line where what is said to it comes out.
    pub fn open(wants: Wants) -> (Client, mpsc::Receiver<Message>) {
        let (messages, out) = mpsc::channel(MOST_WAITING);
        let line =
            Line { messages, wants, told: Mutex::new(None), left_out: Default::default(), begun: Default::default() };
        (Client(Some(Arc::new(line))), out)
    }

    /// What it can be asked for.
    pub fn capabilities(&self) -> Capabilities {
        self.0.as_ref().map(|line| line.wants.capabilities).unwrap_or_default()
    }

    /// Whether it wants messages of this level.
    pub fn hears(&self, level: Level) -> bool {
        self.0.as_ref().and_then(|line| line.wants.level).is_some_and(|least| level >= least)
    }

    /// Whether it wants to know how far the call is.
    pub fn follows(&self) -> bool {
        self.0.as_ref().is_some_and(|line| line.wants.progress)
    }

    /// Tells how far the call is, unless no more is done than was told already. Never waits.
    pub fn progress(&self, progress: f64, total: Option<f64>, message: Option<String>) {
        let Some(line) = self.0.as_ref().filter(|line| line.wants.progress && progress.is_finite()) else { return };
        let mut told = line.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|told| progress > told)
            && line.messages.try_send(Message::Progress { progress, total, message }).is_ok()
        {
            *told = Some(progress);
        }
    }

    /// Says something, if there is room and the client wants to hear it. Never waits.
    pub fn say(&self, level: Level, logger: Option<&str>, data: Value) {
        let Some(line) = self.0.as_ref().filter(|_| self.hears(level)) else { return };
        let left_out = line.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            let note = json!(format!("{left_out} messages were left out here"));
            if line.messages.try_send(Message::Log { level: Level::Warning, logger: None, data: note }).is_err() {
                line.left_out.fetch_add(left_out, Ordering::Relaxed);
            }
        }
        let message = Message::Log { level, logger: logger.map(str::to_owned), data };
        if line.messages.try_send(message).is_err() {
            line.left_out.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Says that the user is done at a web page, if there is room. Never waits.
    pub fn visited(&self, id: &str) {
        if let Some(line) = &self.0 {
            let _ = line.messages.try_send(Message::Visited(id.to_owned()));
        }
    }

    /// Waits a little until there is room for a message.
    pub async fn room(&self) {
        if let Some(line) = &self.0 {
            let _ = timeout(PATIENCE, line.messages.reserve()).await;
        }
    }

    /// Fails if the client lacks something that is needed.
    ///
    /// # Errors
    /// [`ErrorKind::Lacking`], with the names of what is missing.
    pub async fn require(&self, needs: Capabilities) -> Result<(), ActionError> {
        let missing = needs.without(self.capabilities());
        if missing.is_empty() {
            return Ok(());
        }
        if let Some(line) = &self.0 {
            let _ = line.messages.send(Message::Lacks(missing)).await;
        }
        let names = crate::spec::read::list_names(&missing.names());
        let words = format!("this needs a client that has declared the capability {names}");
        Err(ActionError::new(ErrorKind::Lacking, words))
    }

    /// Says that the call begins to do something. A call that may become a task waits until it is one.
    pub async fn begins(&self) {
        let Some(line) = self.0.as_ref().filter(|line| line.wants.task) else { return };
        if line.begun.swap(true, Ordering::Relaxed) {
            return;
        }
        let (go, gone) = oneshot::channel();
        if line.messages.send(Message::Begins(go)).await.is_ok() {
            // Whoever drops the other end wants the call to go on as it is.
            let _ = gone.await;
        }
    }

    /// Asks questions.
    pub async fn ask(&self, inputs: Vec<Input>) -> Reply {
        let nobody = || Reply::Failed("nobody is there to answer".to_owned());
        let Some(line) = &self.0 else { return nobody() };
        let (reply, answer) = oneshot::channel();
        match line.messages.send(Message::Ask(inputs, reply)).await {
            Ok(()) => answer.await.unwrap_or_else(|_| nobody()),
            Err(_) => nobody(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(out: &mut mpsc::Receiver<Message>) -> Vec<Message> {
        std::iter::from_fn(|| out.try_recv().ok()).collect()
    }

    fn wants(level: Option<Level>, progress: bool) -> Wants {
        Wants { level, progress, ..Wants::default() }
    }

    #[tokio::test]
    async fn progress_only_grows() {
        let (client, mut out) = Client::open(wants(None, true));
        for progress in [0.0, 1.0, 1.0, 0.5, f64::NAN, f64::INFINITY, 2.0] {
            client.progress(progress, Some(9.0), None);
        }
        let told: Vec<f64> = drain(&mut out)
            .into_iter()
            .map(|m| match m {
                Message::Progress { progress, .. } => progress,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(told, [0.0, 1.0, 2.0]);
    }

    #[tokio::test]
    async fn nobody_hears_what_it_does_not_want() {
        let (client, mut out) = Client::open(wants(Some(Level::Warning), false));
        client.progress(1.0, None, None);
        client.say(Level::Notice, None, json!("low"));
        client.say(Level::Warning, Some("me"), json!("high"));
        let said = drain(&mut out);
        assert!(matches!(said.as_slice(), [Message::Log { level: Level::Warning, .. }]), "{said:?}");
        let (client, mut out) = Client::open(wants(None, false));
        client.say(Level::Emergency, None, json!("none"));
        assert!(drain(&mut out).is_empty());
    }

    #[tokio::test]
    async fn what_is_too_much_is_left_out_and_counted() {
        let (client, mut out) = Client::open(wants(Some(Level::Debug), false));
        (0..MOST_WAITING + 5).for_each(|n| client.say(Level::Info, None, json!(n)));
        assert_eq!(drain(&mut out).len(), MOST_WAITING);
        client.say(Level::Info, None, json!("next"));
        let said = drain(&mut out);
        let [Message::Log { data: note, .. }, Message::Log { data: next, .. }] = said.as_slice() else {
            panic!("{said:?}")
        };
        assert_eq!((note, next), (&json!("5 messages were left out here"), &json!("next")));
    }

    #[tokio::test]
    async fn without_a_client_nothing_can_be_asked() {
        let none = Client::default();
        none.say(Level::Alert, None, json!(1));
        none.progress(1.0, None, None);
        let inputs = vec![Input { key: "a".into(), request: Request::Roots }];
        assert!(matches!(none.ask(inputs).await, Reply::Failed(_)));
        let missing = none.require(Capabilities { sampling: true, ..Capabilities::default() }).await.unwrap_err();
        assert_eq!(missing.kind, ErrorKind::Lacking);
        assert!(missing.message.contains("`sampling`"), "{}", missing.message);
        assert!(none.require(Capabilities::default()).await.is_ok());
    }
}

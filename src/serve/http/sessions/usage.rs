//! What is known of one session: who it is with, what it says, and when it was used.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use rmcp::model::{ProtocolVersion, RequestId};

use super::tape::Tape;

/// The most requests of one session that are not answered yet.
const MAX_REQUESTS: usize = 256;
/// How many answers are kept for a client that lost the stream, and how long.
const MAX_ANSWERED: usize = 8;
const ANSWERED: Duration = Duration::from_secs(60);

/// One session, as long as it lasts.
#[derive(Debug)]
pub(super) struct Usage {
    /// Answers and event streams that are open.
    pub(super) streams: usize,
    pub(super) last: Instant,
    /// What `initialize` agreed on.
    pub(super) version: Option<ProtocolVersion>,
    /// What is said to the client unasked.
    pub(super) common: Tape,
    /// The answers that are under way, and some that were given lately.
    answers: VecDeque<(u64, Tape)>,
    next: u64,
    requests: HashSet<RequestId>,
}

impl Usage {
    pub(super) fn new() -> Usage {
        Usage {
            streams: 0,
            last: Instant::now(),
            version: None,
            common: Tape::new(None),
            answers: VecDeque::new(),
            next: 0,
            requests: HashSet::new(),
        }
    }

    /// A tape for the answer to request `id`, or why there can be none.
    pub(super) fn begin(&mut self, id: &RequestId) -> Result<Tape, &'static str> {
        if self.requests.len() >= MAX_REQUESTS {
            return Err("too many requests of this session are not answered yet");
        }
        if !self.requests.insert(id.clone()) {
            return Err("a request with this id is not answered yet");
        }
        let tape = Tape::new(Some(self.next));
        self.answers.push_back((self.next, tape.clone()));
        self.next += 1;
        Ok(tape)
    }

    pub(super) fn done(&mut self, id: &RequestId) {
        self.requests.remove(id);
        self.forget();
    }

    pub(super) fn answer(&self, name: u64) -> Option<Tape> {
        self.answers.iter().find(|(known, _)| *known == name).map(|(_, tape)| tape.clone())
    }

    /// Whether nothing is under way and nothing was for so long.
    pub(super) fn is_idle(&self, long: Duration) -> bool {
        self.streams == 0 && self.requests.is_empty() && self.last.elapsed() >= long
    }

    /// Forgets answers that nobody will ask for again.
    pub(super) fn forget(&mut self) {
        let mut ended = self.answers.iter().filter(|(_, tape)| tape.has_ended()).count();
        self.answers.retain(|(_, tape)| {
            let kept = !tape.has_ended() || (ended <= MAX_ANSWERED && !tape.ended_for(ANSWERED));
            if !kept {
                ended -= 1;
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_free_again_when_answered() {
        let mut usage = Usage::new();
        let id = RequestId::Number(1);
        usage.begin(&id).unwrap();
        assert!(usage.begin(&id).unwrap_err().contains("not answered yet"));
        assert!(!usage.is_idle(Duration::ZERO));
        usage.done(&id);
        assert!(usage.is_idle(Duration::ZERO));
        usage.begin(&id).unwrap();
    }

    #[test]
    fn requests_and_kept_answers_are_bounded() {
        let mut usage = Usage::new();
        let mut tapes = Vec::new();
        for id in 0..256 {
            tapes.push(usage.begin(&RequestId::Number(id)).unwrap());
        }
        assert!(usage.begin(&RequestId::Number(256)).unwrap_err().contains("too many"));
        for (id, tape) in (0..250).zip(&tapes) {
            tape.end();
            usage.done(&RequestId::Number(id));
        }
        assert_eq!(usage.answers.len(), 8 + 6);
        assert!(usage.answer(241).is_none() && usage.answer(242).is_some() && usage.answer(255).is_some());
    }
}

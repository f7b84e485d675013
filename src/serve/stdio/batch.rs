//! Several messages in one line, which servers of 2025-03-26 must take: each is handled by itself, the answers go
//! back in one line.

use std::collections::{HashSet, VecDeque};

use rmcp::model::{
    ClientJsonRpcMessage, JsonRpcMessage, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult,
};

use crate::serve::wire;

/// The batches whose answers are not complete.
#[derive(Debug, Default)]
pub(super) struct Batches {
    /// Whether the session is one of the version that has batches.
    taken: bool,
    open: Vec<Batch>,
    /// Messages that rmcp has not taken yet.
    pub(super) waiting: VecDeque<ClientJsonRpcMessage>,
}

/// One batch on its way.
#[derive(Debug, Default)]
pub(super) struct Batch {
    owed: HashSet<RequestId>,
    requests: Vec<RequestId>,
    pub(super) answers: Vec<Vec<u8>>,
}

/// The answers to a whole batch.
#[derive(Debug, PartialEq)]
pub(super) struct Whole {
    /// What to write; None where nothing is to be answered.
    pub(super) text: Option<Vec<u8>>,
    pub(super) requests: Vec<RequestId>,
}

/// What to do with an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Fate {
    /// It belongs to no batch: write it by itself.
    Alone(Vec<u8>),
    /// It is kept until its batch is complete.
    Kept,
    /// It was the last of its batch.
    Last(Whole),
}

impl Batch {
    /// Waits for the answer to this request.
    pub(super) fn owes(&mut self, id: RequestId) {
        self.owed.insert(id.clone());
        self.requests.push(id);
    }

    fn whole(self) -> Whole {
        let text = (!self.answers.is_empty()).then(|| wire::join_batch(&self.answers));
        Whole { text, requests: self.requests }
    }
}

impl Batches {
    /// Learns from the server's messages which version was agreed on.
    pub(super) fn look_at(&mut self, message: &ServerJsonRpcMessage) {
        if let JsonRpcMessage::Response(response) = message
            && let ServerResult::InitializeResult(agreed) = &response.result
        {
            self.taken = agreed.protocol_version == ProtocolVersion::V_2025_03_26;
        }
    }

    /// Whether `line` is a batch, and the client may send one.
    pub(super) fn takes(&self, line: &[u8]) -> bool {
        self.taken && line.trim_ascii_start().starts_with(b"[")
    }

    /// Keeps `batch` until it is answered. Gives it back where nothing is owed.
    pub(super) fn add(&mut self, batch: Batch) -> Option<Whole> {
        if batch.owed.is_empty() {
            return Some(batch.whole());
        }
        self.open.push(batch);
        None
    }

    /// Takes in the answer to `id`.
    pub(super) fn answer(&mut self, id: &RequestId, text: Vec<u8>) -> Fate {
        match self.settle(id, Some(text)) {
            Settled::Not(Some(text)) => Fate::Alone(text),
            Settled::Part | Settled::Not(None) => Fate::Kept,
            Settled::All(whole) => Fate::Last(whole),
        }
    }

    /// The request `id` will get no answer. Gives its batch where that was all it waited for.
    pub(super) fn forget(&mut self, id: &RequestId) -> Option<Whole> {
        match self.settle(id, None) {
            Settled::All(whole) => Some(whole),
            Settled::Not(_) | Settled::Part => None,
        }
    }

    fn settle(&mut self, id: &RequestId, answer: Option<Vec<u8>>) -> Settled {
        let Some(index) = self.open.iter().position(|batch| batch.owed.contains(id)) else {
            return Settled::Not(answer);
        };
        if let Some(batch) = self.open.get_mut(index) {
            batch.owed.remove(id);
            batch.answers.extend(answer);
            if !batch.owed.is_empty() {
                return Settled::Part;
            }
        }
        Settled::All(self.open.swap_remove(index).whole())
    }
}

enum Settled {
    /// It belongs to no batch.
    Not(Option<Vec<u8>>),
    Part,
    All(Whole),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: i64) -> RequestId {
        RequestId::Number(number)
    }

    #[test]
    fn answers_are_kept_until_all_are_there() {
        let mut batches = Batches::default();
        let mut batch = Batch { answers: vec![b"0".to_vec()], ..Batch::default() };
        (1..=3).for_each(|number| batch.owes(id(number)));
        assert_eq!(batches.add(batch), None);
        assert_eq!(batches.answer(&id(9), b"9".to_vec()), Fate::Alone(b"9".to_vec()));
        assert_eq!(batches.answer(&id(2), b"2".to_vec()), Fate::Kept);
        assert_eq!(batches.forget(&id(1)), None);
        assert_eq!(batches.answer(&id(1), b"1".to_vec()), Fate::Alone(b"1".to_vec()), "it was forgotten");
        let whole = Whole { text: Some(b"[0,2,3]".to_vec()), requests: vec![id(1), id(2), id(3)] };
        assert_eq!(batches.answer(&id(3), b"3".to_vec()), Fate::Last(whole));
        assert!(batches.open.is_empty());
    }

    #[test]
    fn a_batch_that_is_all_cancelled_is_not_answered() {
        let mut batches = Batches::default();
        let mut batch = Batch::default();
        batch.owes(id(1));
        batches.add(batch);
        assert_eq!(batches.forget(&id(1)), Some(Whole { text: None, requests: vec![id(1)] }));
        assert_eq!(batches.add(Batch::default()), Some(Whole { text: None, requests: vec![] }));
    }
}

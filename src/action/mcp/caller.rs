//! Who made a request of ours. A client of 2026-07-28 that is asked something is gone until it calls again: its seat is
//! empty meanwhile, and the server's call goes on.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::action::Call;

/// Who made a request; travels with it through rmcp.
#[derive(Debug, Clone)]
pub struct Caller(Arc<Line>);

#[derive(Debug)]
struct Line {
    seat: watch::Sender<Seat>,
    /// Questions that were asked.
    asked: AtomicUsize,
    /// Those of them that are answered: until all are, the request's time does not run.
    answered: AtomicUsize,
    /// Web pages that the user was sent to, by the server's names for them.
    visits: Mutex<HashSet<String>>,
    /// The request is answered, or nobody waits for it any more.
    over: CancellationToken,
}

/// Where the call sits that the request belongs to.
#[derive(Debug, Clone)]
pub struct Seat {
    /// `None` while its client is to call again.
    pub call: Option<Call>,
    /// How often the client has called.
    pub round: usize,
}

impl Caller {
    /// Of a call that was asked nothing yet.
    pub fn new(call: &Call) -> Self {
        Caller(Arc::new(Line {
            seat: watch::Sender::new(Seat { call: Some(call.clone()), round: 1 }),
            asked: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
            visits: Mutex::default(),
            over: CancellationToken::new(),
        }))
    }

    /// The call that it belongs to, if its client is there.
    pub fn call(&self) -> Option<Call> {
        self.0.seat.borrow().call.clone()
    }

    /// Waits until the client is there; gives its call, and which of its calls that is.
    pub async fn seated(&self) -> (Option<Call>, usize) {
        let mut seat = self.0.seat.subscribe();
        // The other end is kept here.
        match seat.wait_for(|seat| seat.call.is_some()).await {
            Ok(seat) => (seat.call.clone(), seat.round),
            Err(_) => (None, 0),
        }
    }

    /// The client is to call again. Nothing where it has done so since its call of this round.
    pub fn leave(&self, round: usize) {
        self.0.seat.send_if_modified(|seat| seat.round == round && seat.call.take().is_some());
    }

    /// Whether the client is gone that called in this round.
    pub fn has_left(&self, round: usize) -> bool {
        let seat = self.0.seat.borrow();
        seat.round != round || seat.call.is_none()
    }

    /// Waits until the client is to call again.
    pub async fn left(&self) {
        let mut seat = self.0.seat.subscribe();
        let _ = seat.wait_for(|seat| seat.call.is_none()).await;
    }

    /// The client has called again.
    pub fn come_back(&self, call: &Call) {
        self.0.seat.send_modify(|seat| *seat = Seat { call: Some(call.clone()), round: seat.round.saturating_add(1) });
    }

    /// How often the client has called.
    pub fn rounds(&self) -> usize {
        self.0.seat.borrow().round
    }

    /// Counts a question; gives its number, from 1 on.
    pub fn asks(&self) -> usize {
        self.0.asked.fetch_add(1, Ordering::SeqCst).saturating_add(1)
    }

    /// A question is answered, or was given up.
    pub fn answered(&self) {
        self.0.answered.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether somebody is being asked something right now.
    pub fn is_asking(&self) -> bool {
        self.0.asked.load(Ordering::SeqCst) > self.0.answered.load(Ordering::SeqCst)
    }

    /// The user is sent to a web page. There are no more of them than questions.
    pub fn sends(&self, visit: &str) {
        self.0.visits.lock().unwrap_or_else(PoisonError::into_inner).insert(visit.to_owned());
    }

    /// Whether the user was sent there.
    pub fn has_sent(&self, visit: &str) -> bool {
        self.0.visits.lock().unwrap_or_else(PoisonError::into_inner).contains(visit)
    }

    /// The request is over.
    pub fn end(&self) {
        self.0.over.cancel();
    }

    /// Waits until it is.
    pub async fn over(&self) {
        self.0.over.cancelled().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_left_late_does_not_take_the_seat_of_who_came_back() {
        let caller = Caller::new(&Call::default());
        let (call, round) = caller.seated().await;
        assert!(call.is_some());
        caller.leave(round);
        caller.left().await;
        assert!(caller.call().is_none());
        caller.come_back(&Call::default());
        caller.leave(round);
        assert!(caller.call().is_some());
        assert_eq!(caller.rounds(), 2);
    }
}

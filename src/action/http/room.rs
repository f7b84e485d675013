//! Memory for answers while they are read: one bound for all calls of the process.

use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::outcome::ActionError;

/// Bytes that all answers may have that are being read.
const BYTES: usize = 256 << 20;
/// They are given out in pieces of this size; the first of each answer is free.
const PIECE: usize = 64 << 10;
/// How long an answer waits for others to be done.
const PATIENCE: Duration = Duration::from_secs(10);

static ROOM: Room = Room::new(BYTES, PATIENCE);

/// A bound for several answers together.
#[derive(Debug)]
struct Room {
    pieces: Semaphore,
    patience: Duration,
}

/// What one answer takes of it, until it is dropped.
#[derive(Debug)]
pub struct Held {
    room: &'static Room,
    pieces: usize,
    permit: Option<SemaphorePermit<'static>>,
}

impl Room {
    const fn new(bytes: usize, patience: Duration) -> Room {
        Room { pieces: Semaphore::const_new(bytes / PIECE), patience }
    }

    const fn enter(&'static self) -> Held {
        Held { room: self, pieces: 0, permit: None }
    }
}

impl Held {
    /// Nothing yet.
    pub fn nothing() -> Held {
        ROOM.enter()
    }

    /// Takes as much as an answer of `bytes` needs.
    ///
    /// # Errors
    /// If other answers have it all for too long.
    pub async fn grow(&mut self, bytes: usize) -> Result<(), ActionError> {
        let more = (bytes / PIECE).saturating_sub(self.pieces);
        let Some(wanted) = u32::try_from(more).ok().filter(|more| *more > 0) else { return Ok(()) };
        let turn = tokio::time::timeout(self.room.patience, self.room.pieces.acquire_many(wanted)).await;
        let Ok(Ok(permit)) = turn else {
            let words = "too many large answers are read at the same time, and there is no memory for this one";
            return Err(ActionError::failed(format!("{words}; try again later")));
        };
        self.pieces += more;
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SMALL: Room = Room::new(2 * PIECE, Duration::from_millis(10));

    #[tokio::test]
    async fn an_answer_waits_for_others_and_fails_in_words() {
        let (mut first, mut second) = (SMALL.enter(), SMALL.enter());
        first.grow(PIECE - 1).await.unwrap();
        first.grow(2 * PIECE).await.unwrap();
        second.grow(PIECE - 1).await.unwrap();
        let refused = second.grow(PIECE).await.unwrap_err();
        assert!(refused.message.starts_with("too many large answers"), "{}", refused.message);
        drop(first);
        second.grow(2 * PIECE).await.unwrap();
        second.grow(PIECE).await.unwrap();
        drop(second);
        assert_eq!(SMALL.pieces.available_permits(), 2);
    }
}

//! The process group of one run.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::Child;
use tokio::time::sleep;

/// The number of the signal that ends a group for good.
pub(super) const KILLED_BY: i32 = 9;

/// How often a group that was asked to end is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A process group; dropping it kills every process in it.
///
/// A group's number stays taken while any process is in it or its leader is not reaped. Drop it before the
/// leader is reaped, or at once after that: the system gives out numbers in turn and doesn't come round so soon.
#[derive(Debug)]
pub(super) struct Group(Option<Pid>);

impl Group {
    /// The group of a program that was started as the leader of a new one and not yet waited for.
    pub(super) fn led_by(child: &Child) -> Self {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw))
    }

    /// Its number; `None` for a program that was waited for already.
    pub(super) fn number(&self) -> Option<i32> {
        self.0.map(|leader| leader.as_raw_nonzero().get())
    }

    /// Sends SIGTERM.
    pub(super) fn terminate(&self) {
        self.send(Signal::TERM);
    }

    /// Waits until no process is left in the group.
    pub(super) async fn gone(&self) {
        while self.0.is_some_and(|leader| test_kill_process_group(leader).is_ok()) {
            sleep(LOOK_EVERY).await;
        }
    }

    fn send(&self, signal: Signal) {
        // The only fault there is, and the usual case: nobody is there any more.
        let _ = self.0.map(|leader| kill_process_group(leader, signal));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.send(Signal::KILL);
    }
}

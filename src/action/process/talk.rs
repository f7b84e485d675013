//! A program that is talked to over its stdin and stdout as long as it runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::group::Group;
use super::watchdog::Watched;
use super::{Exit, ProcessFault, Run, TERM_GRACE, fault, reap, start, weight};
use crate::sandbox::Sandbox;

/// From the end of its stdin to SIGTERM.
const EOF_GRACE: Duration = Duration::from_secs(2);
/// Bytes of a line of stderr that are kept.
const MAX_LINE: u64 = 2048;
/// Lines of stderr that are kept.
const MAX_LINES: usize = 20;

/// A program that is talked to. Dropping it kills the program and all of its group.
#[derive(Debug)]
pub struct Companion {
    // Before the child: the group is killed while its leader still holds the number.
    group: Group,
    child: Child,
    _watched: Watched,
    said: Arc<Mutex<Vec<String>>>,
    _listening: AbortOnDropHandle<()>,
}

/// Starts a program. Of `run`, the bounds of one run do not count. What it says on stderr is told line by line.
///
/// # Errors
/// If it can't be started.
pub fn talk(
    run: &Run<'_>,
    told: impl Fn(&str) + Send + 'static,
) -> Result<(Companion, ChildStdout, ChildStdin), ProcessFault> {
    fault::check(run)?;
    let (watched, stderr, mut child) = start(run)?;
    let group = Group::led_by(&child);
    watched.led_by(&group);
    let lost = || ProcessFault::Lost("its pipes are not there".to_owned());
    let (stdout, stdin) = (child.stdout.take().ok_or_else(lost)?, child.stdin.take().ok_or_else(lost)?);
    let said = Arc::<Mutex<Vec<String>>>::default();
    let listening = AbortOnDropHandle::new(tokio::spawn(listen(stderr, said.clone(), told)));
    Ok((Companion { group, child, _watched: watched, said, _listening: listening }, stdout, stdin))
}

impl Companion {
    /// The last lines that it said on stderr.
    pub fn said(&self) -> Vec<String> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until it, with all that it started, uses more memory than its sandbox allows.
    pub async fn too_much(&self, sandbox: Option<&Sandbox>) {
        weight::too_much(&self.group, sandbox).await;
    }

    /// Ends it, when its stdin has been closed: it is waited for, then its group gets SIGTERM, then SIGKILL. How it
    /// ended, and whether that was by itself.
    pub async fn end(mut self) -> (Exit, bool) {
        if let Ok(Ok(status)) = timeout(EOF_GRACE, self.child.wait()).await {
            return (status.into(), true);
        }
        self.group.terminate();
        let gone = async {
            let _ = self.child.wait().await;
            self.group.gone().await;
        };
        let _ = timeout(TERM_GRACE, gone).await;
        let Companion { group, mut child, .. } = self;
        drop(group);
        (reap(&mut child).await, false)
    }
}

/// Reads stderr to its end, however much it is.
async fn listen(stderr: pipe::Receiver, said: Arc<Mutex<Vec<String>>>, told: impl Fn(&str)) {
    let mut stderr = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        match (&mut stderr).take(MAX_LINE).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if text.is_empty() {
            continue;
        }
        told(text);
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.len() >= MAX_LINES {
            said.remove(0);
        }
        said.push(text.to_owned());
    }
}

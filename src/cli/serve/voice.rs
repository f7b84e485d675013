//! What is said of reloads leaves on a thread of its own: whoever started the server may never read its stderr, and
//! a full pipe must hold up neither calls nor reloads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use tracing::Level;

use super::super::note;
use super::LogFormat;

/// Reports that may wait to be read.
const WAITING: usize = 64;

/// Things to say together, each with its level.
pub type Said = Vec<(Level, String)>;

/// Says what it is told, in the order in which it is told.
#[derive(Debug)]
pub struct Voice {
    sender: SyncSender<Said>,
    /// Reports since the last one that found room.
    left_out: AtomicUsize,
}

impl Voice {
    /// As text, stderr is the log; as JSON, each thing said is an entry of the log.
    pub fn new(format: LogFormat) -> Voice {
        let (sender, receiver) = sync_channel(WAITING);
        // A process that is refused a thread now, after the runtime has got its own, serves in silence.
        let _ = thread::Builder::new().name("stderr".to_owned()).spawn(move || speak(&receiver, format));
        Voice { sender, left_out: AtomicUsize::new(0) }
    }

    /// Never waits: what finds no room is left out, and counted.
    pub fn say(&self, mut said: Said) {
        let left_out = self.left_out.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            said.insert(0, (Level::WARN, format!("mcp-declare: {left_out} reports were left out: nobody read them")));
        }
        if self.sender.try_send(said).is_err() {
            self.left_out.fetch_add(left_out + 1, Ordering::Relaxed);
        }
    }
}

fn speak(receiver: &Receiver<Said>, format: LogFormat) {
    while let Ok(said) = receiver.recv() {
        match format {
            LogFormat::Text => note(&said.iter().map(|(_, words)| ended(words)).collect::<String>()),
            LogFormat::Json => said.iter().for_each(|(level, words)| log(*level, words.trim_end())),
        }
    }
}

/// With a line's end; diagnostics have theirs, and an empty line after it.
fn ended(words: &str) -> String {
    format!("{words}{}", if words.ends_with('\n') { "" } else { "\n" })
}

fn log(level: Level, words: &str) {
    match level {
        Level::ERROR => tracing::error!("{words}"),
        Level::WARN => tracing::warn!("{words}"),
        _ => tracing::info!("{words}"),
    }
}

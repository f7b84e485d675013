//! `subscribe`: how changes of a resource are noticed.

use std::path::PathBuf;
use std::time::Duration;

use crate::action::Builder;
use crate::spec::model::Subscribe;
use crate::spec::{Code, Diagnostic};

/// The shortest interval that `poll` may have.
const SHORTEST_POLL: Duration = Duration::from_millis(100);

/// What the spec says of how changes of a resource are noticed while somebody is subscribed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watch {
    /// How often the resource is read.
    pub poll: Option<Duration>,
    /// The file that changes with it.
    pub file: Option<PathBuf>,
}

impl Watch {
    /// Checks what the spec says; without a word, nothing.
    pub fn compile(written: Option<&Subscribe>, builder: &mut Builder<'_>) -> Self {
        let Some(written) = written else { return Watch::default() };
        if let Some(poll) = written.poll.as_ref().filter(|poll| poll.value < SHORTEST_POLL) {
            let found = Diagnostic::error(Code::BadValue, poll.span, "this would read the resource all the time");
            builder.sink.push(found.label(format!("at least {} ms", SHORTEST_POLL.as_millis())));
        }
        if written.poll.is_none() && written.file.is_none() {
            let found = Diagnostic::error(Code::MissingKey, written.at, "nothing says how changes are noticed");
            builder.sink.push(found.label("give it `poll: 30s`, or the `file` that changes"));
        }
        Watch {
            poll: written.poll.as_ref().map(|poll| poll.value),
            file: written.file.as_ref().map(|path| builder.resolve(path, path.span)),
        }
    }
}

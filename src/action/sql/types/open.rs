//! Why a database could not be opened.

use std::fmt;

/// Why a database could not be opened. No message holds its path or URL, which may have come from a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OpenFault {
    /// There is no file, and no script that builds it.
    Missing,
    /// The script that builds it failed.
    Init {
        /// What the database says.
        message: String,
        /// The byte of the script that is at fault, or where the statement at fault begins.
        offset: Option<usize>,
    },
    /// A statement of `onConnect` failed.
    OnConnect {
        /// Which one, from 0.
        index: usize,
        /// What the database says.
        message: String,
        /// The byte of the statement that is at fault, if that is known.
        offset: Option<usize>,
    },
    /// The file is something else.
    NotADatabase,
    /// Somebody else holds a lock.
    Locked,
    /// It can't be reached or read.
    Unavailable(String),
}

impl fmt::Display for OpenFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenFault::Missing => {
                formatter.write_str("there is no database file, and the source has no `init` that would build it")
            }
            OpenFault::Init { message, .. } => {
                write!(formatter, "the database could not be built by its script: {message}")
            }
            OpenFault::OnConnect { message, .. } => write!(formatter, "a statement of `onConnect` failed: {message}"),
            OpenFault::NotADatabase => formatter.write_str("the file is not a SQLite database"),
            OpenFault::Locked => formatter.write_str("the database is locked by somebody else"),
            OpenFault::Unavailable(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for OpenFault {}

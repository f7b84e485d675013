//! A file that is sent while it is read.

use reqwest::Body;
use reqwest::header::HeaderValue;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use crate::action::files::mime_type_of_name;
use crate::action::folder::{Place, fault};
use crate::action::{Arguments, Builder, Scope};
use crate::outcome::ActionError;
use crate::spec::Code;
use crate::spec::model::FileAction;

/// Bytes that a file may have which does not say otherwise; they are never in memory at once.
const MAX_BYTES: usize = 1 << 30;
/// Bytes that are read at once.
const CHUNK: usize = 64 * 1024;

/// A file below a folder, with params in its path.
#[derive(Debug)]
pub struct Upload {
    place: Place,
    max_bytes: u64,
}

/// An open file.
pub struct Opened {
    /// Its content, as it was long when it was opened.
    pub body: Body,
    /// Bytes.
    pub length: u64,
}

impl Upload {
    /// Compiles it; mistakes are reported.
    pub fn compile(written: &FileAction, scope: &Scope<'_>, builder: &mut Builder<'_>) -> Option<Upload> {
        if let Some(part) = written.offset.as_ref().or(written.length.as_ref()) {
            builder.sink.error(Code::BadValue, part.span, "a file is sent whole");
        }
        let max_bytes = written.max_bytes.as_ref().map_or(MAX_BYTES, |max| max.value.0);
        Some(Upload { place: Place::of_file(written, scope, builder)?, max_bytes: max_bytes as u64 })
    }

    /// The path below the folder, with values.
    ///
    /// # Errors
    /// If a value can't stand in it.
    pub fn path(&self, arguments: &Arguments) -> Result<String, ActionError> {
        self.place.file(arguments)
    }

    /// The params in it.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.place.names()
    }

    /// Opens the file.
    ///
    /// # Errors
    /// If there is none, the path leads outside of the folder, or the file is too large.
    pub async fn open(&self, path: &str) -> Result<Opened, ActionError> {
        let at = path.to_owned();
        let opened = self.place.root.blocking(path, move |root| root.open_file(&at)).await;
        let (file, length) = opened.map_err(|found| fault(&found))?;
        if length > self.max_bytes {
            let words =
                format!("{path} has {length} bytes, more than the {} that may be sent (maxBytes)", self.max_bytes);
            return Err(ActionError::invalid(words));
        }
        let content = tokio::fs::File::from_std(file).take(length);
        Ok(Opened { body: Body::wrap_stream(ReaderStream::with_capacity(content, CHUNK)), length })
    }
}

/// The media type by a file's name.
pub fn media_type(path: &str) -> HeaderValue {
    HeaderValue::from_static(mime_type_of_name(path).unwrap_or("application/octet-stream"))
}

//! What `exec` and `shell` share: the child's environment and folder, and what its end means.

mod blot;
mod chatter;

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use blot::End;

use super::process::{Exit, Finished, ProcessFault};
use super::{Arguments, Builder, Limits, Scope, Trust, mask, render_fault};
use crate::outcome::{ActionError, Content, ErrorKind, Outcome};
use crate::spec::{Code, Diagnostic, Foreign, Span, Spanned, Text};
use crate::template::Template;

pub use chatter::Chatter;

/// Where and with what a command runs.
#[derive(Debug)]
pub struct Setting {
    /// The folder that it starts in.
    pub cwd: PathBuf,
    env: Vec<(String, Text)>,
    stdin: Option<Template>,
}

/// Bytes that one argument or variable may have: Linux's own bound (`MAX_ARG_STRLEN`), less the ending NUL.
pub const MAX_ARGUMENT: usize = 128 * 1024 - 1;
/// Bytes that a command's standard input may have.
const MAX_STDIN: usize = 64 * 1024 * 1024;

impl Setting {
    /// Checks a command's `env`, `cwd` and `stdin`.
    pub fn compile(
        env: &Foreign<Spanned<Text>>,
        cwd: Option<&Spanned<Text>>,
        stdin: Option<&Spanned<String>>,
        at: Span,
        scope: &Scope<'_>,
        builder: &mut Builder<'_>,
    ) -> Option<Self> {
        let stdin = stdin.map(|text| builder.template(text, scope));
        refuse_writable(at, builder);
        let cwd = builder.folder(cwd.map(|c| (c.expose(), c.span)), at);
        for (name, value) in env.iter() {
            if name.value.is_empty() || name.value.contains(['=', '\0']) || value.expose().contains('\0') {
                builder.sink.error(
                    Code::BadCommand,
                    name.span,
                    format!("`{}` can't be an environment variable", name.value),
                );
            }
            if value.written().contains("{{") {
                let found = Diagnostic::error(Code::BadTemplate, value.span, "params can't stand in `env`");
                builder
                    .sink
                    .push(found.label("pass them as arguments or on `stdin`; a `shell` script has them as variables"));
            }
        }
        let env = env.iter().map(|(name, value)| (name.value.clone(), value.value.clone())).collect();
        let stdin = match stdin {
            Some(stdin) => Some(stdin?),
            None => None,
        };
        Some(Setting { cwd: cwd?, env, stdin })
    }

    /// The names that the spec sets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.env.iter().map(|(name, _)| name.as_str())
    }

    /// What the child reads.
    ///
    /// # Errors
    /// If the text can't be rendered.
    pub fn stdin(&self, arguments: &Arguments) -> Result<Option<Vec<u8>>, ActionError> {
        let text = self.stdin.as_ref().map(|text| text.render(arguments, MAX_STDIN)).transpose();
        Ok(text.map_err(|fault| render_fault(&fault))?.map(String::into_bytes))
    }

    /// The lines of an explanation: the folder and the variables, what came from outside the spec masked.
    pub fn explain(&self) -> String {
        let shown = |text: &Text| if text.is_secret() { "***".to_owned() } else { text.expose().to_owned() };
        let env = self.env.iter().map(|(name, value)| format!("\nenv {name} = {}", Value::String(shown(value))));
        format!("cwd = {}{}", self.cwd.display(), env.collect::<String>())
    }

    /// What the child sees beside the safe set.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.env.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    }

    /// Turns the end of a command into an answer.
    ///
    /// # Errors
    /// If it did not end well.
    pub fn outcome(
        &self,
        name: &str,
        finished: Result<Finished, ProcessFault>,
        limits: &Limits,
    ) -> Result<Outcome, ActionError> {
        let finished = finished.map_err(|fault| {
            let kind = match fault {
                ProcessFault::TimedOut(_) => ErrorKind::TimedOut,
                ProcessFault::Cancelled => ErrorKind::Cancelled,
                _ => ErrorKind::Failed,
            };
            ActionError::new(kind, format!("`{name}`: {fault}"))
        })?;
        let secrets = self.secrets();
        if finished.exit != Exit::Code(0) && !finished.truncated {
            let stderr = blot::blot(finished.stderr, &secrets, finished.stderr_truncated.then_some(End::First));
            let stderr = String::from_utf8_lossy(&stderr).trim().to_owned();
            let ended = match finished.exit {
                Exit::Code(code) => format!("`{name}` ended with status {code}"),
                Exit::Signal(signal) => format!("`{name}` was ended by signal {signal}"),
            };
            let words = if stderr.is_empty() { ended } else { format!("{ended}: {stderr}") };
            return Err(ActionError::failed(words));
        }
        let truncated = finished.truncated.then(|| format!("cut after {} bytes (maxBytes)", limits.max_bytes));
        let stdout = blot::blot(finished.stdout, &secrets, finished.truncated.then_some(End::Last));
        let content = match String::from_utf8(stdout) {
            Ok(text) => Content::Text(text),
            Err(error) if finished.truncated && error.utf8_error().error_len().is_none() => {
                let valid = error.utf8_error().valid_up_to();
                let mut bytes = error.into_bytes();
                bytes.truncate(valid);
                Content::Text(String::from_utf8(bytes).unwrap_or_default())
            }
            Err(error) => Content::Bytes(error.into_bytes()),
        };
        Ok(Outcome { content, mime_type: None, truncated })
    }

    /// The values that came into `env` from outside the spec.
    fn secrets(&self) -> Vec<&[u8]> {
        self.env.iter().filter(|(_, v)| v.is_secret()).map(|(_, v)| v.expose().as_bytes()).collect()
    }

    /// Blots out the values that came into `env` from outside the spec.
    fn mask(&self, text: String) -> String {
        mask::text(text, self.env.iter().map(|(_, value)| value))
    }
}

/// Reports a command in a file that others may write, or in a folder where they may put another file in its
/// place: it would run whatever they like.
fn refuse_writable(at: Span, builder: &mut Builder<'_>) {
    if builder.trust == Trust::Anybody {
        return;
    }
    let Some(path) = builder.files.path(at.file).filter(|p| p.is_file()) else { return };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writable = |path: &Path| {
        let metadata = std::fs::metadata(path).ok()?;
        let (mode, sticky) = (metadata.mode(), metadata.mode() & 0o1000 != 0 && metadata.is_dir());
        let group = mode & 0o020 != 0 && metadata.gid() != metadata.uid();
        (!sticky && (mode & 0o002 != 0 || group)).then(|| path.display().to_string())
    };
    if let Some(owner) = stranger(path, folder) {
        let words =
            format!("{} belongs to another user ({owner}), in a folder where anybody may put files", path.display());
        if builder.sink.says(Code::UnsafePermissions, &words) {
            return;
        }
        let found = Diagnostic::error(Code::UnsafePermissions, at, words);
        builder.sink.push(found.label("move it to a folder of your own, or say --trust-permissions"));
        return;
    }
    if let Some(name) = writable(path).or_else(|| writable(folder)) {
        let words = format!("others may write {name}, and with it what its commands do");
        if builder.sink.says(Code::UnsafePermissions, &words) {
            return;
        }
        let found = Diagnostic::error(Code::UnsafePermissions, at, words);
        let label = format!("take the right away with `chmod go-w {name}`, or say --trust-permissions");
        builder.sink.push(found.label(label));
    }
}

/// The owner of a file that somebody else may have put there: in a folder such as `/tmp`, where everybody may add files
/// and nobody may replace those of others, a folder of specs or a pattern of `include` would take it.
fn stranger(path: &Path, folder: &Path) -> Option<u32> {
    let (file, folder) = (std::fs::metadata(path).ok()?, std::fs::metadata(folder).ok()?);
    is_stranger(&folder, file.uid(), rustix::process::geteuid().as_raw()).then(|| file.uid())
}

fn is_stranger(folder: &std::fs::Metadata, owner: u32, ourselves: u32) -> bool {
    folder.mode() & 0o022 != 0 && ![0, folder.uid(), ourselves].contains(&owner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_of_somebody_else_in_a_folder_for_all_is_a_strangers() {
        let folder = tempfile::tempdir().unwrap();
        let with = |mode| {
            std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            std::fs::metadata(folder.path()).unwrap()
        };
        let shared = with(0o1777);
        let (owner, somebody) = (shared.uid(), shared.uid() + 7);
        assert!(is_stranger(&shared, somebody, owner));
        assert!(!is_stranger(&shared, owner, owner) && !is_stranger(&shared, somebody, somebody));
        assert!(!is_stranger(&shared, 0, somebody));
        assert!(!is_stranger(&with(0o755), somebody, owner), "nobody else could put it there");
    }
}

//! Database servers of this machine's own binaries, started for the tests alone.

use std::ffi::OsString;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rcgen::{CertifiedKey, generate_simple_self_signed};

use super::Kind;
use crate::harness::until;

/// The password of the user that the tests come as.
pub const PASSWORD: &str = "s3cret/pass word";

/// Runs a server until its stdin says `stop` or ends, which it does however the tests end; then nothing of it is
/// left, unless it is only stopped. `$1` is its folder, `$2` the signal that ends it without a wait
/// for its clients, the rest its command.
const WATCH: &str = r#"
    trap : INT TERM HUP
    folder=$1 signal=$2; shift 2
    "$@" &
    server=$!
    read -r word || word=end
    kill -$signal $server
    wait $server
    [ "$word" = stop ] || rm -rf "$folder"
"#;

/// A server in a folder of its own. Dropped, it is ended and its folder removed.
pub struct Server {
    kind: Kind,
    binaries: PathBuf,
    folder: PathBuf,
    pub port: u16,
    watch: Option<Child>,
}

impl Server {
    /// Starts a server; `None` if this machine has none of this kind.
    pub async fn start(kind: Kind) -> Option<Server> {
        let binaries = kind.binaries()?;
        let folder = tempfile::Builder::new().prefix("mcp-declare-").tempdir().unwrap().keep();
        let mut server = Server { kind, binaries, folder, port: 0, watch: None };
        server.install();
        server.go_on().await;
        Some(server)
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The certificate that the server shows, and that vouches for itself.
    pub fn certificate(&self) -> PathBuf {
        self.folder.join("cert.pem")
    }

    /// Where its sockets are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Puts lines before those that a file in its folder has, if there is one.
    pub fn prepend(&self, name: &str, lines: &str) -> PathBuf {
        let path = self.folder.join(name);
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        std::fs::write(&path, format!("{lines}\n{before}")).unwrap();
        self.give(&path);
        path
    }

    /// Stops it, as an administrator would; its data stay.
    pub fn stop(&mut self) {
        let Some(mut watch) = self.watch.take() else { return };
        writeln!(watch.stdin.take().unwrap(), "stop").unwrap();
        ended(&mut watch);
    }

    /// Starts it, on the port that it had before.
    pub async fn go_on(&mut self) {
        for _ in 0..5 {
            if self.port == 0 {
                self.port = free_port();
            }
            self.watch = Some(self.spawn());
            if self.answers().await {
                return;
            }
            self.stop();
            self.port = 0;
        }
        panic!("{:?} does not start: {}", self.kind, self.log());
    }

    /// Waits until it answers; false if somebody was faster on its port.
    async fn answers(&self) -> bool {
        let url = self.kind.url(self.port, self.kind.first_database());
        let taken = || self.log().contains("Address already in use");
        until("a database server", async || taken() || super::run(&url, "SELECT 1").await.is_ok()).await;
        !taken()
    }

    /// What it has said.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// Makes its data and its certificate.
    fn install(&self) {
        self.give(&self.folder);
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
        for (name, text) in [
            ("cert.pem", cert.pem()),
            ("key.pem", signing_key.serialize_pem()),
            ("password", PASSWORD.to_owned()),
            ("init.sql", self.kind.init()),
        ] {
            let path = self.folder.join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            self.give(&path);
        }
        let mut command = unprivileged(self.kind.install(&self.binaries, &self.folder));
        let output = command.current_dir(&self.folder).env("TMPDIR", &self.folder).output().unwrap();
        assert!(output.status.success(), "{:?} can't be set up: {output:?}", self.kind);
    }

    fn spawn(&self) -> Child {
        let log = std::fs::File::create(self.folder.join("log")).unwrap();
        let mut words: Vec<OsString> = ["sh", "-c", WATCH, "watch"].map(OsString::from).to_vec();
        words.extend([self.folder.clone().into(), self.kind.signal().into()]);
        words.extend(self.kind.serve(&self.binaries, &self.folder, self.port));
        let mut command = unprivileged(words);
        command
            .current_dir("/")
            .env("TMPDIR", &self.folder)
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        command.spawn().unwrap()
    }

    /// Gives a file to the user whom the server runs as.
    fn give(&self, path: &Path) {
        if let Some((user, group)) = nobody() {
            chown(path, Some(user), Some(group)).unwrap();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            drop(watch.stdin.take());
            if !std::thread::panicking() {
                ended(&mut watch);
            }
        } else {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Waits for the end of a server.
fn ended(watch: &mut Child) {
    let patience = std::time::Instant::now() + crate::harness::PATIENCE;
    while watch.try_wait().unwrap().is_none() {
        assert!(std::time::Instant::now() < patience, "a database server does not stop");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

/// A port that nobody listens on; somebody else may be faster, though.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// The user and group that servers run as where the tests run as root, which no server wants to be.
fn nobody() -> Option<(u32, u32)> {
    let root = rustix::process::geteuid().is_root();
    let id = |what: &str| {
        let output = Command::new("id").args([what, "nobody"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    };
    root.then(|| (id("-u"), id("-g")))
}

/// A command as that user.
fn unprivileged(words: Vec<OsString>) -> Command {
    let (mut command, words) = match nobody() {
        None => (Command::new(&words[0]), &words[1..]),
        Some((user, group)) => {
            let mut command = Command::new("setpriv");
            command.arg(format!("--reuid={user}")).arg(format!("--regid={group}")).arg("--clear-groups");
            (command, &words[..])
        }
    };
    command.args(words).env("HOME", "/").env("LC_ALL", "C");
    command
}

//! What one kind of server is started with.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::server::PASSWORD;

/// A kind of database server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Postgres,
    Mariadb,
}

impl Kind {
    /// The folder of its binaries, if this machine has them.
    pub fn binaries(self) -> Option<PathBuf> {
        let (binary, mut folders) = match self {
            Kind::Postgres => ("initdb", glob("/usr/lib/postgresql", "bin")),
            Kind::Mariadb => ("mariadb-install-db", vec!["/usr/bin".into(), "/usr/local/bin".into()]),
        };
        folders.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
        folders.into_iter().find(|folder| folder.join(binary).is_file())
    }

    /// The URL of one of its databases.
    pub fn url(self, port: u16, database: &str) -> String {
        let password = PASSWORD.replace('/', "%2F").replace(' ', "%20");
        match self {
            Kind::Postgres => format!("postgres://tester:{password}@127.0.0.1:{port}/{database}"),
            Kind::Mariadb => format!("mysql://tester:{password}@127.0.0.1:{port}/{database}"),
        }
    }

    /// A database that is there from the start.
    pub fn first_database(self) -> &'static str {
        match self {
            Kind::Postgres => "postgres",
            Kind::Mariadb => "mysql",
        }
    }

    /// The signal that ends it without a wait for its clients.
    pub fn signal(self) -> &'static str {
        match self {
            Kind::Postgres => "INT",
            Kind::Mariadb => "TERM",
        }
    }

    /// What a server is to run at its start.
    pub fn init(self) -> String {
        match self {
            Kind::Postgres => String::new(),
            Kind::Mariadb => format!(
                "CREATE USER IF NOT EXISTS tester@'%' IDENTIFIED BY '{PASSWORD}';\n\
                 GRANT ALL ON *.* TO tester@'%' WITH GRANT OPTION;\n"
            ),
        }
    }

    /// The command that makes its data.
    pub fn install(self, binaries: &Path, folder: &Path) -> Vec<OsString> {
        match self {
            Kind::Postgres => words(
                binaries.join("initdb"),
                &["--no-sync", "--auth=scram-sha-256", "--username=tester", "--encoding=UTF8", "--locale=C.UTF-8"],
                &[("--pgdata=", folder.join("data")), ("--pwfile=", folder.join("password"))],
            ),
            Kind::Mariadb => words(
                binaries.join("mariadb-install-db"),
                &["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"],
                &[("--datadir=", folder.join("data"))],
            ),
        }
    }

    /// The command that serves it.
    pub fn serve(self, binaries: &Path, folder: &Path, port: u16) -> Vec<OsString> {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        match self {
            Kind::Postgres => words(
                binaries.join("postgres"),
                &[
                    "--listen-addresses=127.0.0.1",
                    &format!("--port={port}"),
                    "--fsync=off",
                    "--full-page-writes=off",
                    "--max-connections=200",
                    "--shared-buffers=32MB",
                    "--ssl=on",
                ],
                &[
                    ("-D", folder.join("data")),
                    ("--unix-socket-directories=", folder.to_owned()),
                    ("--ssl-cert-file=", cert),
                    ("--ssl-key-file=", key),
                ],
            ),
            Kind::Mariadb => words(
                mariadbd(binaries),
                &[
                    "--no-defaults",
                    "--bind-address=127.0.0.1",
                    &format!("--port={port}"),
                    "--skip-log-bin",
                    "--innodb-flush-log-at-trx-commit=0",
                    "--innodb-buffer-pool-size=32M",
                    "--max-connections=200",
                    "--skip-name-resolve",
                ],
                &[
                    ("--datadir=", folder.join("data")),
                    ("--socket=", folder.join("socket")),
                    ("--pid-file=", folder.join("pid")),
                    ("--init-file=", folder.join("init.sql")),
                    ("--ssl-cert=", cert),
                    ("--ssl-key=", key),
                ],
            ),
        }
    }
}

/// The server's binary, which some put beside the others and some into `sbin`.
fn mariadbd(binaries: &Path) -> PathBuf {
    let places = [binaries.to_owned(), "/usr/sbin".into(), "/usr/local/sbin".into()];
    let found = places.into_iter().map(|place| place.join("mariadbd")).find(|binary| binary.is_file());
    found.unwrap_or_else(|| "mariadbd".into())
}

fn words(binary: PathBuf, plain: &[&str], paths: &[(&str, PathBuf)]) -> Vec<OsString> {
    let with_path = |(option, path): &(&str, PathBuf)| {
        let mut word = OsString::from(option);
        word.push(path);
        word
    };
    let plain = plain.iter().map(OsString::from);
    [binary.into_os_string()].into_iter().chain(plain).chain(paths.iter().map(with_path)).collect()
}

/// `FOLDER/*/INNER`, the newest version first.
fn glob(folder: &str, inner: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<(u32, PathBuf)> = entries
        .map(|entry| (entry.file_name().to_string_lossy().parse().unwrap_or(0), entry.path().join(inner)))
        .collect();
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, path)| path).collect()
}

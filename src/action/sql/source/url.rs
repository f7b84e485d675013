//! A database's URL.

use std::path::PathBuf;

use url::Url;

use crate::action::sql::lexer::Dialect;
use crate::action::sql::sqlite::Location;
use crate::spec::model::{DatabaseTls, TlsMode};
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned, Text};

/// Databases' URLs, for messages.
const EXAMPLES: &str = "such as `sqlite:./shop.db`, `postgres://user@host/shop` or `mysql://user@host/shop`";

/// What a URL names.
#[derive(Debug)]
pub enum Found {
    /// A SQLite database.
    Sqlite(Location),
    /// A database on a server.
    Server(Dialect),
}

/// Reads `sqlite:PATH`, `sqlite://PATH`, `sqlite::memory:`, `postgres://…` or `mysql://…`; a mistake is reported. Paths
/// start at the folder of the spec's file.
pub fn read(url: &Spanned<Text>, files: &Files, sink: &mut Diagnostics) -> Option<Found> {
    let (scheme, rest) = url.expose().split_once(':').unwrap_or((url.expose(), ""));
    let found = match scheme {
        "sqlite" => sqlite(rest, files, url).map(Found::Sqlite),
        "postgres" | "postgresql" => server(url, Dialect::Postgres, "such as `postgres://user@host/shop`"),
        "mysql" | "mariadb" => server(url, Dialect::Mysql, "such as `mysql://user@host/shop`"),
        _ => {
            let path = !url.is_secret() && !url.written().contains(':');
            let label = if path { format!("write `sqlite:{}`", url.written()) } else { EXAMPLES.to_owned() };
            Err(Box::new(refused(url, "not the URL of a database").label(label)))
        }
    };
    found.map_err(|found| sink.push(*found)).ok()
}

fn sqlite(rest: &str, files: &Files, url: &Spanned<Text>) -> Result<Location, Box<Diagnostic>> {
    if rest == ":memory:" {
        return Ok(Location::Memory);
    }
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(['?', '\0']) {
        let found = refused(url, "not the URL of a SQLite database");
        return Err(Box::new(found.label("such as `sqlite:./shop.db` or `sqlite::memory:`")));
    }
    Ok(Location::File(files.folder(url.span.file).join(path)))
}

fn server(url: &Spanned<Text>, dialect: Dialect, example: &str) -> Result<Found, Box<Diagnostic>> {
    let parsed = Url::parse(url.expose()).ok().filter(|url| !url.cannot_be_a_base());
    let named = parsed.is_some_and(|url| url.path().len() > 1 || url.query().is_some_and(|q| q.contains("dbname=")));
    let is_url = url.expose().contains("://") && Url::parse(url.expose()).is_ok();
    let found = match (is_url, named) {
        (true, true) => return Ok(Found::Server(dialect)),
        (true, false) => refused(url, "this URL names a server and no database of it"),
        (false, _) => refused(url, "not the URL of a database").help(
            "characters of a password that mean something in a URL are written `%40` for `@`, `%2F` for `/`, and so on",
        ),
    };
    Err(Box::new(found.label(example)))
}

fn refused(url: &Spanned<Text>, words: &str) -> Diagnostic {
    Diagnostic::error(Code::BadValue, url.span, words)
}

/// The URL with what `tls` says in its query, where the drivers look for it.
pub fn with_tls(
    url: &Spanned<Text>,
    dialect: Dialect,
    tls: &DatabaseTls,
    files: &Files,
    sink: &mut Diagnostics,
    inputs: &mut Vec<PathBuf>,
) -> Option<String> {
    let mut whole = Url::parse(url.expose()).ok()?;
    if whole.query_pairs().any(|(key, _)| key.starts_with("ssl")) {
        let found = Diagnostic::error(Code::NameClash, tls.at, "the URL says itself how TLS is used");
        sink.push(found.label("keep one of them").related(url.span, "here"));
        return None;
    }
    if let (Some(one), None) | (None, Some(one)) = (&tls.cert, &tls.key) {
        let found = Diagnostic::error(Code::MissingKey, one.span, "`cert` and `key` belong together");
        sink.push(found.label("the other one is missing"));
        return None;
    }
    let usual = if tls.ca.is_some() { TlsMode::VerifyFull } else { TlsMode::Require };
    let mode = tls.mode.as_ref().map_or(usual, |mode| mode.value);
    let keys = match dialect {
        Dialect::Mysql => ["ssl-mode", "ssl-ca", "ssl-cert", "ssl-key"],
        Dialect::Postgres | Dialect::Sqlite => ["sslmode", "sslrootcert", "sslcert", "sslkey"],
    };
    let [mode_key, file_keys @ ..] = keys;
    whole.query_pairs_mut().append_pair(mode_key, mode_word(mode, dialect));
    let mut all_there = true;
    for (key, file) in file_keys.iter().zip([&tls.ca, &tls.cert, &tls.key]) {
        let Some(file) = file else { continue };
        let path = files.folder(file.span.file).join(file.expose());
        inputs.push(path.clone());
        if !path.is_file() {
            sink.error(Code::MissingFile, file.span, format!("there is no file `{}`", file.written()));
            all_there = false;
        }
        whole.query_pairs_mut().append_pair(key, &path.to_string_lossy());
    }
    all_there.then(|| whole.into())
}

fn mode_word(mode: TlsMode, dialect: Dialect) -> &'static str {
    match (mode, dialect) {
        (TlsMode::Disable, Dialect::Mysql) => "DISABLED",
        (TlsMode::Prefer, Dialect::Mysql) => "PREFERRED",
        (TlsMode::Require, Dialect::Mysql) => "REQUIRED",
        (TlsMode::VerifyCa, Dialect::Mysql) => "VERIFY_CA",
        (TlsMode::VerifyFull, Dialect::Mysql) => "VERIFY_IDENTITY",
        (TlsMode::Disable, _) => "disable",
        (TlsMode::Prefer, _) => "prefer",
        (TlsMode::Require, _) => "require",
        (TlsMode::VerifyCa, _) => "verify-ca",
        (TlsMode::VerifyFull, _) => "verify-full",
    }
}

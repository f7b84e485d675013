//! `serve`: the main job.

mod report;
mod voice;

use std::io::IsTerminal;
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::spec::{self, SpecArguments};
use super::{Exit, complain, lock, note};
use crate::catalog::Loaded;
use crate::reload::trigger::{Trigger, WatchConfig};
use crate::reload::{self, Cells, Origin, Report};
use crate::serve::http::{HttpConfig, HttpServer, Listen, TlsFiles};
use crate::serve::{Handler, stdio};
use crate::spec::load::{self, Input};
use voice::Voice;

/// Arguments of `serve`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare serve bookshop.yaml\n  mcp-declare serve bookshop.yaml --http 127.0.0.1:8000\n  \
                  mcp-declare serve bookshop.yaml --http unix:/run/bookshop.sock --allow-host shop.example.com"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// Serve one client over stdin and stdout (the default).
    #[arg(long, conflicts_with = "http")]
    stdio: bool,
    /// Serve over streamable HTTP; port 0 picks a free one. unix:PATH is a socket for this user alone.
    #[arg(long, value_name = "ADDR:PORT|unix:PATH", num_args = 0..=1, default_missing_value = "127.0.0.1:8000", value_parser = no_spec)]
    http: Option<String>,
    /// The path of the HTTP endpoint.
    #[arg(long, default_value = "/mcp", requires = "http")]
    path: String,
    /// Serve HTTPS with this certificate and those that lead to its authority (PEM); read again when it changes.
    #[arg(long, value_name = "FILE", requires = "http", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM, without a password).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// A name that clients may reach the server by, besides localhost: `example.com` or `example.com:8443`.
    /// May be repeated.
    #[arg(long, value_name = "NAME", requires = "http")]
    allow_host: Vec<String>,
    /// A web origin whose pages may call, besides local ones: `https://example.com` or `https://example.com:*`.
    /// May be repeated.
    #[arg(long, value_name = "URL", requires = "http")]
    allow_origin: Vec<String>,
    /// Listen on an address that others can reach, with nobody asked who they are.
    #[arg(long, requires = "http")]
    allow_anonymous: bool,
    /// Don't look for changes of the spec; SIGHUP still reloads.
    #[arg(long)]
    no_watch: bool,
    /// Look for changes at this interval (such as 2s) instead of waiting for the file system to tell.
    #[arg(long, value_name = "DURATION", conflicts_with = "no_watch", value_parser = crate::spec::read::parse_duration)]
    poll: Option<Duration>,
    /// Serve only what the lock beside the spec says that clients see; `mcp-declare lock` writes it.
    #[arg(long)]
    locked: bool,
    /// What is logged to stderr.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = Level::Warn)]
    log: Level,
    /// How it is logged.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// Serves until the client is gone or a signal comes.
pub async fn run(arguments: Arguments) -> Exit {
    log(arguments.log, arguments.log_format);
    let http = match http(&arguments) {
        Ok(http) => http,
        Err(words) => return wrong(&words),
    };
    let closing = CancellationToken::new();
    let at_once = match close_on_signals(&closing) {
        Ok(at_once) => at_once,
        Err(error) => {
            complain(&format!("can't wait for signals: {error}"));
            return Exit::Unreachable;
        }
    };
    let watched = WatchConfig { watch: !arguments.no_watch, poll: arguments.poll, ..WatchConfig::default() };
    let mut trigger = Trigger::new(watched);
    let lock = arguments.locked.then(|| lock::beside(&arguments.spec.spec));
    let origin = Arc::new(origin(arguments.spec, lock));
    let loaded = match origin.load(None).await {
        Ok(loaded) => loaded,
        Err(words) => return wrong(&words),
    };
    note(&spec::diagnostics(&loaded));
    let Some(catalog) = loaded.catalog.clone() else { return spec::exit(&loaded) };
    if let Err(exit) = held(&origin, &loaded) {
        return exit;
    }
    trigger.set_paths(&origin.paths(&loaded));
    drop(loaded);
    let summary = spec::summary(&catalog);
    // The cell alone holds the catalog: its connections close when a reload has replaced it.
    let cells = Cells { catalog: watch::channel(catalog).0, refusal: watch::channel(None).0 };
    let handler = Handler::new(cells.catalog.subscribe(), closing.clone());
    let reloading = tokio::spawn({
        let (cells, closing, format) = (cells.clone(), closing.clone(), arguments.log_format);
        let voice = Voice::new(format);
        let tell = move |report: Report<'_>| voice.say(report::said(&report, format));
        async move { reload::run(origin, trigger, &cells, &closing, tell).await }
    });
    let serving = async {
        match http {
            None => over_stdio(handler, &summary, &closing).await,
            Some(http) => over_http(handler, &summary, &cells, http, &closing).await,
        }
    };
    let exit = tokio::select! {
        exit = serving => exit,
        () = at_once.cancelled() => Exit::Done,
    };
    closing.cancel();
    reloading.abort();
    let catalog = cells.catalog.borrow().clone();
    catalog.close().await;
    exit
}

fn wrong(words: &str) -> Exit {
    complain(words);
    Exit::Usage
}

async fn over_stdio(handler: Handler, summary: &str, closing: &CancellationToken) -> Exit {
    note(&format!("mcp-declare: serving {summary} on stdio\n"));
    if std::io::stdin().is_terminal() {
        note("mcp-declare: waiting for an MCP client on stdin; --http serves over HTTP\n");
    }
    match stdio::serve(handler, closing.clone()).await {
        Ok(()) => Exit::Done,
        Err(fault) => {
            complain(&fault.to_string());
            Exit::Unreachable
        }
    }
}

async fn over_http(
    handler: Handler,
    summary: &str,
    cells: &Cells,
    config: HttpConfig,
    closing: &CancellationToken,
) -> Exit {
    let server = match HttpServer::bind(config).await {
        Ok(server) => server,
        Err(fault) => {
            complain(&fault.to_string());
            return if fault.is_of_usage() { Exit::Usage } else { Exit::Unreachable };
        }
    };
    note(&format!("mcp-declare: serving {summary} on {}\n", server.url()));
    let health = cells.clone();
    let extra = Router::new().route("/health", get(move || async move { report::health(&health) }));
    server.run(move || handler.for_another(), extra, closing.clone()).await;
    Exit::Done
}

/// Refuses a spec that shows something else than was locked.
fn held(origin: &Origin, loaded: &Loaded) -> Result<(), Exit> {
    let changes = origin.drift(loaded).map_err(|words| {
        complain(&words);
        Exit::AtFault
    })?;
    if changes.is_empty() {
        return Ok(());
    }
    note(&report::lines(&changes).map(|line| format!("{line}\n")).collect::<String>());
    complain("clients would see what is not locked; if they shall, run `mcp-declare lock`");
    Err(Exit::AtFault)
}

fn origin(arguments: SpecArguments, lock: Option<PathBuf>) -> Origin {
    let SpecArguments { spec, environment, trust_permissions } = arguments;
    Origin {
        input: Input::Path(spec),
        trust: trust_permissions.into(),
        environment_files: environment.env_file.clone().into_iter().collect::<Vec<PathBuf>>(),
        environment: Box::new(move || environment.read()),
        lock,
    }
}

/// What `--http` and the options that go with it ask for.
fn http(arguments: &Arguments) -> Result<Option<HttpConfig>, String> {
    let Some(listen) = arguments.http.as_deref().map(listen).transpose()? else { return Ok(None) };
    if let Listen::Tcp(address) = listen
        && !address.ip().is_loopback()
        && !arguments.allow_anonymous
    {
        let ip = address.ip();
        return Err(format!("{ip} can be reached by others; say --allow-anonymous if anybody may call these tools"));
    }
    let files = arguments.tls_cert.clone().zip(arguments.tls_key.clone());
    Ok(Some(HttpConfig {
        listen,
        path: arguments.path.clone(),
        tls: files.map(|(cert, key)| TlsFiles { cert, key }),
        allowed_hosts: arguments.allow_host.clone(),
        allowed_origins: arguments.allow_origin.clone(),
        ..HttpConfig::default()
    }))
}

/// `unix:PATH`, or an address.
fn listen(text: &str) -> Result<Listen, String> {
    match text.strip_prefix("unix:") {
        Some("") => Err("`unix:` lacks the path of the socket, such as unix:/run/bookshop.sock".to_owned()),
        Some(path) => Ok(Listen::Unix(path.into())),
        None => address(text).map(Listen::Tcp),
    }
}

/// Refuses a spec that stands where an address is expected: `serve --http bookshop.yaml`.
fn no_spec(text: &str) -> Result<String, String> {
    let ending = Path::new(text).extension().and_then(|ending| ending.to_str()).unwrap_or("");
    let port = text.parse::<u16>().is_ok();
    match load::ENDINGS.contains(&ending) || (!port && Path::new(text).exists()) {
        true => Err(format!("this is the spec; write it first: serve {text} --http")),
        false => Ok(text.to_owned()),
    }
}

/// `ADDR:PORT`, `NAME:PORT`, `:PORT` or `PORT`; without an address, this machine alone.
fn address(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("http://").unwrap_or(text);
    if let Ok(port) = text.trim_start_matches(':').parse::<u16>() {
        return Ok((Ipv4Addr::LOCALHOST, port).into());
    }
    let first = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    first.ok_or_else(|| format!("`{text}` is no ADDR:PORT to listen on, such as 127.0.0.1:8000"))
}

/// Ctrl-C and SIGTERM close the server, which lets calls finish; a second one cancels the token given back.
fn close_on_signals(closing: &CancellationToken) -> std::io::Result<CancellationToken> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let at_once = CancellationToken::new();
    let tokens = [closing.clone(), at_once.clone()];
    tokio::spawn(async move {
        for token in tokens {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            token.cancel();
        }
    });
    Ok(at_once)
}

fn log(level: Level, format: LogFormat) {
    let own = match level {
        Level::Off => LevelFilter::OFF,
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
    };
    let filter = Targets::new().with_target("mcp_declare", own);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(false)).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
    }
}

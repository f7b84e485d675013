//! The ways in: TLS, Unix sockets, and connections that ask nothing.

use std::{
    fs,
    os::unix::fs::{FileTypeExt, PermissionsExt},
    path::Path,
    time::{Instant, SystemTime},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UnixListener},
};

use super::*;
use crate::serve::http::{TlsFiles, tls::Tls};

/// A certificate for `localhost`, written to `cert.pem` and `key.pem`. Gives the certificate's text.
fn write_pair(folder: &Path) -> String {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    cert.pem()
}

fn files(folder: &TempDir) -> TlsFiles {
    TlsFiles { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") }
}

fn trusting(certificate: &str) -> reqwest::ClientBuilder {
    let certificate = reqwest::Certificate::from_pem(certificate.as_bytes()).unwrap();
    reqwest::Client::builder().no_proxy().tls_certs_only([certificate])
}

#[tokio::test]
async fn tls_is_served_in_both_versions_of_http() {
    let folder = tempfile::tempdir().unwrap();
    let certificate = write_pair(folder.path());
    let mut site = Site::with(HttpConfig { tls: Some(files(&folder)), ..HttpConfig::default() }).await;
    assert!(site.url.starts_with("https://127.0.0.1:"), "{}", site.url);
    let plain = site.url.replace("https", "http");
    site.url = site.url.replace("127.0.0.1", "localhost");
    site.client = trusting(&certificate).build().unwrap();
    let session = site.session("2025-11-25").await;
    let answer = site.post(&call(1, "echo", json!({"text": "x"}), false)).header("mcp-session-id", &session);
    let answer = answer.send().await.unwrap();
    assert_eq!(answer.version(), http::Version::HTTP_2);
    assert_eq!(text_of(&message(answer).await), "x");
    site.client = trusting(&certificate).http1_only().build().unwrap();
    let answer = site.post(&request(1, "server/discover", json!({}), true)).send().await.unwrap();
    assert_eq!((answer.version(), answer.status().as_u16()), (http::Version::HTTP_11, 200));
    let stranger = reqwest::Client::builder().no_proxy().build().unwrap();
    assert!(stranger.get(&site.url).send().await.is_err());
    assert!(stranger.get(plain).send().await.is_err());
}

#[tokio::test]
async fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let old = write_pair(folder.path());
    let tls = Tls::new(files(&folder)).await.unwrap();
    let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(tls.clone().follow(Duration::from_millis(20)));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Some(mut stream) = tls.accept(stream).await {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n").await;
                let _ = stream.shutdown().await;
            }
        }
    });
    // The system's clock of files may be coarse.
    let touch = |seconds: u64| {
        let later = SystemTime::now() + Duration::from_secs(seconds);
        fs::File::options().write(true).open(files(&folder).cert).unwrap().set_modified(later).unwrap();
    };
    let serves =
        async |certificate: &str| trusting(certificate).http1_only().build().unwrap().get(&url).send().await.is_ok();
    assert!(serves(&old).await);
    fs::write(files(&folder).cert, "broken").unwrap();
    touch(10);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(serves(&old).await);
    let new = write_pair(folder.path());
    touch(20);
    let began = Instant::now();
    while !serves(&new).await {
        assert!(began.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(!serves(&old).await);
}

#[tokio::test]
async fn faults_of_certificates_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let fault = async |cert: &str, key: &str| {
        let tls = Some(TlsFiles { cert: at(cert), key: at(key) });
        let fault =
            HttpServer::bind(HttpConfig { listen: anywhere(), tls, ..HttpConfig::default() }).await.unwrap_err();
        fault.to_string().replace(folder.path().to_str().unwrap(), "")
    };
    write_pair(folder.path());
    fs::copy(at("key.pem"), at("other.pem")).unwrap();
    write_pair(folder.path());
    fs::write(at("empty.pem"), "").unwrap();
    fs::write(at("cut.pem"), "-----BEGIN CERTIFICATE-----\nMIIB").unwrap();
    fs::write(at("junk.pem"), "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let locked = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    fs::write(at("locked.pem"), locked).unwrap();
    assert!(fault("none.pem", "key.pem").await.starts_with("can't read /none.pem: "));
    assert!(fault("empty.pem", "key.pem").await.starts_with("/empty.pem holds no certificate, expected"));
    assert!(fault("key.pem", "key.pem").await.starts_with("/key.pem holds no certificate"));
    assert!(fault("cert.pem", "cert.pem").await.starts_with("/cert.pem holds no private key"));
    assert!(fault("cert.pem", "locked.pem").await.starts_with("the private key in /locked.pem is encrypted"));
    assert!(fault("cut.pem", "key.pem").await.starts_with("/cut.pem is not a PEM file"));
    assert!(fault("junk.pem", "key.pem").await.starts_with("the certificate in /junk.pem can't be used"));
    let strangers = "the private key in /other.pem is not that of the certificate in /cert.pem";
    assert_eq!(fault("cert.pem", "other.pem").await, strangers);
}

#[tokio::test]
async fn a_unix_socket_is_served_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.sock");
    let config = || HttpConfig { listen: Listen::Unix(path.clone()), ..HttpConfig::default() };
    let server = HttpServer::bind(config()).await.unwrap();
    assert_eq!(server.url(), format!("http://localhost/mcp at unix:{}", path.display()));
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let fault = HttpServer::bind(config()).await.unwrap_err();
    assert_eq!(fault.to_string(), format!("another program listens on {}", path.display()));

    let closing = CancellationToken::new();
    let echo = Echo::new(&closing);
    let running = tokio::spawn(server.run(move || echo.clone(), Router::new(), closing.clone()));
    let client = reqwest::Client::builder().unix_socket(path.clone()).build().unwrap();
    let ask = |host: &str| client.post("http://localhost/mcp").header("host", host).json(&initialize(0, "2025-11-25"));
    assert_eq!(ask("localhost").send().await.unwrap().status(), 200);
    assert_eq!(ask("shop.example").send().await.unwrap().status(), 200);
    assert_eq!(ask("localhost").header("origin", "https://evil.example").send().await.unwrap().status(), 403);
    closing.cancel();
    tokio::time::timeout(SOON, running).await.unwrap().unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_left_behind_is_taken_over_and_other_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mcp.sock");
    let bind =
        async || HttpServer::bind(HttpConfig { listen: Listen::Unix(path.clone()), ..HttpConfig::default() }).await;
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let server = bind().await.unwrap();
    assert!(fs::metadata(&path).unwrap().file_type().is_socket());

    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    drop(server);
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine", "it is not the server's any more");
    let fault = bind().await.unwrap_err().to_string();
    assert!(fault.ends_with("is a file and no socket, expected one or nothing there"), "{fault}");
    let nowhere = Listen::Unix(folder.path().join("no/such/folder"));
    let fault = HttpServer::bind(HttpConfig { listen: nowhere, ..HttpConfig::default() }).await.unwrap_err();
    assert!(fault.to_string().starts_with("can't listen on "), "{fault}");
}

#[tokio::test]
async fn connections_that_do_not_ask_are_closed() {
    let head_timeout = Duration::from_millis(300);
    let site = Site::with(HttpConfig { head_timeout, max_connections: 8, ..HttpConfig::default() }).await;
    let address = site.url.trim_start_matches("http://").trim_end_matches("/mcp").to_owned();
    let answered = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let slow = format!("{answered}GET /health HTTP/1.1\r\nHost: loc");
    for sent in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /health HTTP/1.1\r\nHost: loc", &slow] {
        let mut stream = TcpStream::connect(&address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        // Closed or reset, both are an end.
        let end = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
        assert!(end.is_ok(), "{sent:?} keeps its place");
        assert_eq!(String::from_utf8_lossy(&rest).contains("200 OK"), sent.starts_with(answered), "{sent:?}");
    }
    let slow = site.post(&call(1, "slow", json!({"ms": 1000}), true)).send().await.unwrap();
    assert_eq!(text_of(&message(slow).await), "slept", "a long call is no slow head");
}

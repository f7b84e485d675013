//! Why the files hold no certificate and key.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use tokio_rustls::rustls::{Error, pki_types::pem};

use super::TlsFiles;

/// Why TLS can't be served.
#[derive(Debug)]
pub enum TlsFault {
    /// A file can't be read.
    Read(PathBuf, io::Error),
    /// A file is longer than any certificate.
    TooLong(PathBuf),
    /// There is no certificate in the file.
    NoCertificate(PathBuf),
    /// There is no private key in the file.
    NoKey(PathBuf),
    /// The private key would need a password.
    Encrypted(PathBuf),
    /// The file is not what PEM looks like.
    Pem(PathBuf, pem::Error),
    /// The key belongs to another certificate.
    Strangers(TlsFiles),
    /// The certificate or the key is of no use, for another reason.
    Unusable(TlsFiles, Error),
    /// The library has no version of TLS to offer.
    Versions(Error),
}

impl TlsFault {
    pub(super) fn pem(path: &Path, fault: pem::Error) -> Self {
        match fault {
            pem::Error::NoItemsFound => TlsFault::NoCertificate(path.to_owned()),
            fault => TlsFault::Pem(path.to_owned(), fault),
        }
    }

    pub(super) fn key(path: &Path, text: &[u8], fault: pem::Error) -> Self {
        let encrypted = b"ENCRYPTED";
        match fault {
            pem::Error::NoItemsFound if text.windows(encrypted.len()).any(|part| part == encrypted) => {
                TlsFault::Encrypted(path.to_owned())
            }
            pem::Error::NoItemsFound => TlsFault::NoKey(path.to_owned()),
            fault => TlsFault::Pem(path.to_owned(), fault),
        }
    }

    pub(super) fn pair(files: &TlsFiles, fault: Error) -> Self {
        match fault {
            Error::InconsistentKeys(_) => TlsFault::Strangers(files.clone()),
            fault => TlsFault::Unusable(files.clone(), fault),
        }
    }
}

impl fmt::Display for TlsFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFault::Read(path, fault) => write!(out, "can't read {}: {fault}", path.display()),
            TlsFault::TooLong(path) => write!(out, "{} is longer than 1 MiB, expected a PEM file", path.display()),
            TlsFault::NoCertificate(path) => {
                write!(out, "{} holds no certificate, expected `-----BEGIN CERTIFICATE-----`", path.display())
            }
            TlsFault::NoKey(path) => {
                write!(out, "{} holds no private key, expected `-----BEGIN PRIVATE KEY-----`", path.display())
            }
            TlsFault::Encrypted(path) => {
                write!(out, "the private key in {} is encrypted, expected one without a password", path.display())
            }
            TlsFault::Pem(path, fault) => write!(out, "{} is not a PEM file: {fault}", path.display()),
            TlsFault::Strangers(files) => write!(
                out,
                "the private key in {} is not that of the certificate in {}",
                files.key.display(),
                files.cert.display()
            ),
            TlsFault::Unusable(files, fault) => write!(
                out,
                "the certificate in {} can't be used with the key in {}: {fault}",
                files.cert.display(),
                files.key.display()
            ),
            TlsFault::Versions(fault) => write!(out, "TLS can't be served: {fault}"),
        }
    }
}

impl std::error::Error for TlsFault {}

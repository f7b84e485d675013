//! A source's `tls`: whom it trusts and what it shows of itself.

use std::path::PathBuf;

use reqwest::{Certificate, Identity};

use crate::spec::model::api;
use crate::spec::{Code, Diagnostic, Diagnostics, Files, Spanned, Text, load};

/// PEM texts that have been read and found sound.
#[derive(Clone, Default, PartialEq)]
pub struct Tls {
    ca: Option<Vec<u8>>,
    /// Certificate and key, one after the other.
    identity: Option<Vec<u8>>,
}

impl Tls {
    /// Reads what `tls` names; mistakes are reported.
    pub fn read(written: &api::Tls, files: &Files, sink: &mut Diagnostics, inputs: &mut Vec<PathBuf>) -> Option<Tls> {
        let mut pem = |text: &Option<Spanned<Text>>, sink: &mut Diagnostics| match text {
            Some(text) => self::pem(text, files, inputs, sink).map(Some),
            None => Some(None),
        };
        let (ca, cert, key) = (pem(&written.ca, sink), pem(&written.cert, sink), pem(&written.key, sink));
        let (ca, cert, key) = (ca?, cert?, key?);
        let identity = match (cert, key) {
            (Some(cert), Some(key)) => Some([cert, key].join(&b'\n')),
            (None, None) => None,
            _ => {
                let found = Diagnostic::error(Code::BadValue, written.at, "`cert` and `key` go together");
                sink.push(found.label("give both, or neither"));
                return None;
            }
        };
        let tls = Tls { ca, identity };
        if let (Some(place), true) = (&written.ca, tls.authorities().is_ok_and(|found| found.is_empty())) {
            sink.error(Code::BadValue, place.span, "there is no certificate in it");
            return None;
        }
        for (place, read) in [(&written.ca, tls.authorities().map(drop)), (&written.cert, tls.identity().map(drop))] {
            if let (Some(place), Err(_)) = (place, read) {
                let found = Diagnostic::error(Code::BadValue, place.span, "it can't be read as PEM");
                sink.push(found.label("`-----BEGIN CERTIFICATE-----`, and for a key PKCS #8, SEC 1 or PKCS #1"));
                return None;
            }
        }
        Some(tls)
    }

    /// The authorities to trust; none where the machine's are.
    ///
    /// # Errors
    /// If they are no PEM.
    pub fn authorities(&self) -> reqwest::Result<Vec<Certificate>> {
        self.ca.as_deref().map_or_else(|| Ok(Vec::new()), Certificate::from_pem_bundle)
    }

    /// What is shown of itself.
    ///
    /// # Errors
    /// If it is no PEM.
    pub fn identity(&self) -> reqwest::Result<Option<Identity>> {
        self.identity.as_deref().map(Identity::from_pem).transpose()
    }
}

/// The text itself where it is PEM, else the file of this name.
fn pem(text: &Spanned<Text>, files: &Files, inputs: &mut Vec<PathBuf>, sink: &mut Diagnostics) -> Option<Vec<u8>> {
    if text.expose().contains("-----BEGIN ") {
        return Some(text.expose().as_bytes().to_vec());
    }
    let path = files.folder(text.span.file).join(text.expose());
    inputs.push(path.clone());
    let read = load::read_text(&path).map(String::into_bytes);
    read.map_err(|why| {
        let words = format!("can't read `{}`", text.written());
        sink.push(Diagnostic::error(Code::MissingFile, text.span, words).label(why));
    })
    .ok()
}

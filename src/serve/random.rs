//! Bytes that nobody can guess.

use std::fs::File;
use std::io::{self, Read};

/// Random bytes from the system.
///
/// # Errors
/// If the system gives none.
pub fn bytes<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes))?;
    Ok(bytes)
}

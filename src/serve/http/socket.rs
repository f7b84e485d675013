//! A Unix socket to listen on: for this user alone, taken over from a server that is gone, removed at the end.

use std::{
    fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rustix::fs::{Mode, fchmod};
use tokio::net::{UnixListener, UnixSocket, UnixStream};

use super::HttpFault;

/// As many connections may wait to be accepted.
const BACKLOG: u32 = 1024;
/// Only the user who serves may connect.
const OWN: u32 = 0o600;

/// The file of a socket; removed when dropped, unless another server's stands there by then.
#[derive(Debug)]
pub(super) struct Socket {
    path: PathBuf,
    file: (u64, u64),
}

impl Socket {
    pub(super) async fn bind(path: &Path) -> Result<(UnixListener, Socket), HttpFault> {
        let fault = |fault| HttpFault::socket(path, fault);
        let listener = match listen(path) {
            Err(taken) if taken.kind() == io::ErrorKind::AddrInUse => {
                remove_stale(path).await?;
                listen(path).map_err(fault)?
            }
            outcome => outcome.map_err(fault)?,
        };
        // Where the system takes no mode before it binds, this is when it gets it.
        fs::set_permissions(path, fs::Permissions::from_mode(OWN)).map_err(fault)?;
        let file = identity(path).map_err(fault)?;
        Ok((listener, Socket { path: path.to_owned(), file }))
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|file| file == self.file)
            && let Err(fault) = fs::remove_file(&self.path)
        {
            tracing::warn!(%fault, path = %self.path.display(), "the socket can't be removed");
        }
    }
}

/// Which file it is, whatever its name.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
}

fn listen(path: &Path) -> io::Result<UnixListener> {
    let socket = UnixSocket::new_stream()?;
    // Before there is a file: nobody else gets to connect meanwhile. Linux keeps the mode, others refuse it.
    let _ = fchmod(&socket, Mode::from_raw_mode(OWN));
    socket.bind(path)?;
    socket.listen(BACKLOG)
}

/// Removes a socket that nobody listens on any more. Other files are left alone.
async fn remove_stale(path: &Path) -> Result<(), HttpFault> {
    let fault = |fault| HttpFault::socket(path, fault);
    if !fs::symlink_metadata(path).map_err(fault)?.file_type().is_socket() {
        return Err(HttpFault::NoSocket(path.to_owned()));
    }
    match UnixStream::connect(path).await {
        Err(gone) if gone.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path).map_err(fault),
        Ok(_) | Err(_) => Err(HttpFault::SocketInUse(path.to_owned())),
    }
}

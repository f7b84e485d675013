//! The binary on a terminal.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::sync::watch;

use super::soon;

/// A terminal of 80 columns, and what was printed to it so far.
pub struct Terminal {
    keyboard: File,
    screen: watch::Receiver<String>,
    child: std::process::Child,
}

impl Terminal {
    /// Runs a command with its stdin, stdout and stderr on the terminal.
    pub fn run(mut command: Command) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
        let theirs = File::options().read(true).write(true).open(name).unwrap();
        let end = || Stdio::from(theirs.try_clone().unwrap());
        command.stdin(end()).stdout(end()).stderr(end()).env("TERM", "xterm").env_remove("NO_COLOR");
        let child = command.spawn().unwrap();
        // The command holds copies of the terminal's end, and would keep it open.
        drop(command);
        let keyboard = File::from(ours);
        let (sender, screen) = watch::channel(String::new());
        let mut output = keyboard.try_clone().unwrap();
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            loop {
                match output.read(&mut bytes) {
                    Ok(read) if read > 0 => {
                        sender.send_modify(|text| *text += &String::from_utf8_lossy(&bytes[..read]))
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    // Linux says EIO once nobody has the other end.
                    _ => return,
                }
            }
        });
        Terminal { keyboard, screen, child }
    }

    /// Waits until these words were printed.
    pub async fn shows(&mut self, words: &str) -> String {
        let shown = soon(words, self.screen.wait_for(|text| text.contains(words))).await.map(|text| text.clone());
        shown.unwrap_or_else(|_| panic!("the terminal closed without {words:?}: {:?}", self.screen.borrow()))
    }

    /// Waits for a question, and types an answer.
    pub async fn answers(&mut self, question: &str, answer: &str) {
        self.shows(question).await;
        self.keyboard.write_all(format!("{answer}\n").as_bytes()).unwrap();
    }

    /// Waits for the end of the command: its exit code, and all that it printed.
    pub async fn ends(mut self) -> (i32, String) {
        let closed = async { while self.screen.changed().await.is_ok() {} };
        soon("the terminal to close", closed).await;
        let code = self.child.wait().unwrap().code().unwrap();
        let text = self.screen.borrow().clone();
        (code, text)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

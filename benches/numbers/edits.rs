//! What an edit of a running server costs: until a client is told, and while it calls.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::client::Server;
use super::{ROUNDS, median, write};

/// How long calls are measured at a stretch, with reloads and without in turn: both see the same machine.
const STRETCH: Duration = Duration::from_secs(3);
const STRETCHES: usize = 5;

/// From the write of a spec with `count` tools to the client's being told, the median.
pub fn until_told(spec: &Path, count: usize) -> Duration {
    let mut server = begin(spec, count);
    let mut edition = 1;
    median(|| {
        // What the last reload left to do is not of this one.
        thread::sleep(Duration::from_millis(100));
        edition += 1;
        write(spec, count, edition);
        let written = Instant::now();
        server.read_until("notifications/tools/list_changed");
        written.elapsed()
    })
}

/// A server that has told of a first edit: one written just before the start may be read twice.
fn begin(spec: &Path, count: usize) -> Server {
    let mut server = Server::start(spec);
    server.initialize();
    write(spec, count, 1);
    server.read_until("notifications/tools/list_changed");
    server
}

/// The 99th percentile of how long calls take, with a reload each second and without.
pub fn slowest_calls(spec: &Path, count: usize) -> (Duration, Duration) {
    let mut server = begin(spec, count);
    let mut edition = ROUNDS;
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..STRETCHES {
        calls(&mut server, &mut without, || {});
        calls(&mut server, &mut with, || {
            edition += 1;
            write(spec, count, edition);
        });
        // The last edit's reload is not of the next stretch.
        thread::sleep(Duration::from_millis(500));
    }
    (percentile(with), percentile(without))
}

/// Calls a tool again and again, and edits at each second.
fn calls(server: &mut Server, times: &mut Vec<Duration>, mut edit: impl FnMut()) {
    let begin = Instant::now();
    let mut second = Duration::from_millis(200);
    while begin.elapsed() < STRETCH {
        if begin.elapsed() >= second {
            second += Duration::from_secs(1);
            edit();
        }
        let id = times.len() + 1000;
        let call = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"tool_0007","arguments":{{"id":1}}}}}}"#
        );
        let called = Instant::now();
        server.send(&call);
        server.read_until(&format!("\"id\":{id},"));
        times.push(called.elapsed());
    }
}

fn percentile(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() * 99 / 100]
}

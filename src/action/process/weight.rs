//! The memory of all processes of a sandbox together. The kernel's limit binds each of them alone.
//!
//! Nothing leaves its process group in a sandbox, so the group is all of them.

use std::fs;
use std::future::pending;
use std::time::{Duration, Instant};

use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::group::Group;
use crate::sandbox::Sandbox;

/// Between two looks, at least.
const PAUSE: Duration = Duration::from_millis(100);
/// How much longer than a look the pause after it is, so that looking costs little.
const SPARING: u32 = 20;

/// Resolves when the group uses more memory than its sandbox allows.
pub(super) async fn too_much(group: &Group, sandbox: Option<&Sandbox>) {
    let (Some(most), Some(number)) = (sandbox.and_then(|sandbox| sandbox.memory), group.number()) else {
        return pending().await;
    };
    let mut pause = PAUSE;
    loop {
        sleep(pause).await;
        let begun = Instant::now();
        if spawn_blocking(move || exceeds(number, most)).await.unwrap_or(false) {
            return;
        }
        pause = PAUSE.max(begun.elapsed() * SPARING);
    }
}

/// Whether the processes of a group use more than `most` bytes. What several of them share counts once, which is costly to
/// find out and done only where it matters.
fn exceeds(group: i32, most: u64) -> bool {
    let members: Vec<u32> = processes().filter(|process| group_of(*process) == Some(group)).collect();
    let sum = |file: &str, line: &str| members.iter().filter_map(|process| bytes(*process, file, line)).sum::<u64>();
    sum("status", "VmRSS:") > most && sum("smaps_rollup", "Pss:") > most
}

/// All that there are; where there is no `/proc`, none.
fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The third word behind the program's name, which may have spaces and brackets in it (proc(5), `/proc/pid/stat`).
fn group_of(process: u32) -> Option<i32> {
    let stat = fs::read(format!("/proc/{process}/stat")).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(2)?.parse().ok()
}

/// A line `NAME: 12 kB` of a file about a process.
fn bytes(process: u32, file: &str, line: &str) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{process}/{file}")).ok()?;
    let value = text.lines().find_map(|l| l.strip_prefix(line))?;
    value.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_group_and_a_weight() {
        let ourselves = std::process::id();
        let group = group_of(ourselves).unwrap();
        assert_eq!(group, rustix::process::getpgrp().as_raw_nonzero().get());
        assert!(processes().any(|process| process == ourselves));
        let (all, fair) = (bytes(ourselves, "status", "VmRSS:"), bytes(ourselves, "smaps_rollup", "Pss:"));
        assert!(all.unwrap() > 1 << 20 && fair.unwrap() > 1 << 20, "{all:?} {fair:?}");
        assert!(exceeds(group, 1 << 20) && !exceeds(group, u64::MAX) && !exceeds(i32::MAX, 0));
    }
}

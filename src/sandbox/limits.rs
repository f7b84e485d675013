//! Limits of the kernel, and the privileges that could lift them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Resource, Rlimit, getrlimit, getuid, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capability_is_in_bounding_set, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::Sandbox;

/// Memory that is kept ready for what still runs between the limit on memory and the command, which could get none any more.
const HEADROOM: usize = 64 * 1024;

/// Takes every privilege away, and the way to new ones by setuid programs. root stays root to the files that it owns.
pub(super) fn drop_privileges() -> io::Result<()> {
    set_no_new_privs(true)?;
    clear_ambient_capability_set()?;
    for capability in CapabilitySet::all().iter() {
        // One that the kernel does not know can't be there; one that we may not drop is cut by no_new_privs.
        if capability_is_in_bounding_set(capability).unwrap_or(false) {
            let _ = remove_capability_from_bounding_set(capability);
        }
    }
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })?;
    Ok(())
}

/// Sets all the limits but that on memory.
pub(super) fn apply(sandbox: &Sandbox) -> io::Result<()> {
    bound(Resource::Core, 0, 0)?;
    if let Some(seconds) = sandbox.cpu {
        // SIGXCPU first, and a second later the end.
        bound(Resource::Cpu, seconds, seconds.saturating_add(1))?;
    }
    if let Some(bytes) = sandbox.file_size {
        bound(Resource::Fsize, bytes, bytes)?;
    }
    if let Some(most) = sandbox.processes.filter(|most| *most > 1) {
        let most = tasks().saturating_add(most);
        bound(Resource::Nproc, most, most)?;
    }
    Ok(())
}

/// Sets the limit on memory; the last thing before the command, since this program itself may be larger.
pub(super) fn apply_memory(sandbox: &Sandbox) -> io::Result<()> {
    let Some(bytes) = sandbox.memory else { return Ok(()) };
    drop(std::hint::black_box(vec![1_u8; HEADROOM]));
    bound(Resource::As, bytes, bytes)
}

/// Lowers a limit; one that is lower already stays.
pub(super) fn bound(resource: Resource, current: u64, maximum: u64) -> io::Result<()> {
    let most = getrlimit(resource).maximum.unwrap_or(u64::MAX);
    let limit = Rlimit { current: Some(current.min(most)), maximum: Some(maximum.min(most)) };
    Ok(setrlimit(resource, limit)?)
}

/// Processes and threads that this user has now, without ourselves: `RLIMIT_NPROC` counts all of them.
fn tasks() -> u64 {
    let user = getuid().as_raw();
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = folders.filter(|entry| entry.file_name().to_str().is_some_and(|n| n.parse::<u32>().is_ok()));
    let ours = processes.filter(|entry| entry.metadata().is_ok_and(|m| m.uid() == user));
    let threads = |entry: fs::DirEntry| fs::read_dir(entry.path().join("task")).map_or(0, |tasks| tasks.count() as u64);
    ours.map(threads).sum::<u64>().saturating_sub(1)
}

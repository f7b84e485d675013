//! Which system calls are refused: seccomp filters.

use std::collections::BTreeMap;
use std::env::consts::ARCH;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen as Length, SeccompCmpOp as Compare, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

use super::Sandbox;

/// Calls of the x32 world have this bit; some kernels still take them on a 64 bit processor.
#[cfg(target_arch = "x86_64")]
const X32: c_long = 0x4000_0000;

/// Numbers that `libc` does not know yet; they are the same on every processor.
mod number {
    pub(super) const MEMFD_SECRET: libc::c_long = 447;
    pub(super) const FCHMODAT2: libc::c_long = 452;
    pub(super) const SETXATTRAT: libc::c_long = 463;
    pub(super) const REMOVEXATTRAT: libc::c_long = 466;
    pub(super) const FILE_SETATTR: libc::c_long = 469;
}

/// Requests to a terminal that type into it. Constants of our own, for their type in `libc` depends on the C library.
const TYPES: [u64; 2] = [0x5412, 0x541C];

/// Requests that change a file through a handle that was opened for reading alone: its flags (`chattr`), its generation, its
/// verity and encryption, and the subvolumes of btrfs.
const CHANGES: [u64; 15] = [
    0x4008_6602,
    0x4004_6602,
    0x401c_5820,
    0x4008_7602,
    0x4004_7602,
    0x4080_6685,
    0x800c_6613, // generic
    0x5000_9401,
    0x5000_940e,
    0x5000_940f,
    0x5000_9417,
    0x5000_9418,
    0x5000_943f,
    0x4008_941a,
    0x5000_940a, // btrfs
];

/// A call is refused when this holds of one argument.
type When = Option<(u8, Length, Compare, u64)>;

/// The calls that are refused with one error.
#[derive(Default)]
struct Refused(BTreeMap<i64, Vec<SeccompRule>>);

impl Refused {
    fn always(&mut self, calls: &[c_long]) -> Result<(), seccompiler::BackendError> {
        calls.iter().try_for_each(|call| self.when(*call, None))
    }

    fn when(&mut self, call: c_long, when: When) -> Result<(), seccompiler::BackendError> {
        for number in numbers(call) {
            let rules = self.0.entry(number).or_default();
            if let Some((argument, length, compare, value)) = when.clone() {
                let condition = SeccompCondition::new(argument, length, compare, value)?;
                rules.push(SeccompRule::new(vec![condition])?);
            }
        }
        Ok(())
    }

    fn compile(self, error: i32) -> Result<BpfProgram, seccompiler::BackendError> {
        let refuse = SeccompAction::Errno(error.unsigned_abs());
        SeccompFilter::new(self.0, SeccompAction::Allow, refuse, ARCH.try_into()?)?.try_into()
    }
}

/// The numbers by which a call can be reached.
fn numbers(call: c_long) -> Vec<i64> {
    #[cfg(target_arch = "x86_64")]
    {
        let own = match call {
            libc::SYS_ioctl => 514,
            libc::SYS_ptrace => 521,
            libc::SYS_process_vm_readv => 539,
            libc::SYS_process_vm_writev => 540,
            other => other,
        };
        vec![call, own | X32]
    }
    #[cfg(not(target_arch = "x86_64"))]
    vec![call]
}

/// The filters of a sandbox, ready to be applied. `truncation`: whether files have to be kept here from being truncated by
/// their path.
pub(super) fn compile(sandbox: &Sandbox, truncation: bool) -> Result<Vec<BpfProgram>, String> {
    let filters = || {
        let refused = refused(sandbox, truncation)?.compile(libc::EPERM)?;
        Ok::<_, seccompiler::BackendError>(vec![refused, absent(sandbox, truncation)?.compile(libc::ENOSYS)?])
    };
    filters().map_err(|error| format!("the filter of system calls can't be made: {error}"))
}

/// Applies filters.
pub(super) fn apply(filters: &[BpfProgram]) -> Result<(), String> {
    let refused = |error| format!("the kernel refuses to filter system calls: {error}");
    filters.iter().try_for_each(|filter| apply_filter(filter)).map_err(refused)
}

fn refused(sandbox: &Sandbox, truncation: bool) -> Result<Refused, seccompiler::BackendError> {
    let mut refused = Refused::default();
    // Out of the process group, and into other processes.
    refused.always(&[libc::SYS_setsid, libc::SYS_setpgid])?;
    refused.always(&[libc::SYS_ptrace, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev])?;
    refused.always(&[libc::SYS_pidfd_getfd])?;
    // Typing into the terminal that the server may have been started from.
    for request in TYPES {
        refused.when(libc::SYS_ioctl, Some((1, Length::Dword, Compare::Eq, request)))?;
    }
    // The limits of the server.
    refused.when(libc::SYS_prlimit64, Some((0, Length::Dword, Compare::Ne, 0)))?;
    // A world of users of its own, in which it would be root.
    let users = libc::CLONE_NEWUSER.unsigned_abs().into();
    for call in [libc::SYS_unshare, libc::SYS_clone] {
        refused.when(call, Some((0, Length::Qword, Compare::MaskedEq(users), users)))?;
    }
    refused.always(&[libc::SYS_setns])?;
    if !sandbox.network {
        refused.always(&[libc::SYS_socket])?;
    } else if sandbox.reach.is_some() {
        // What listens at a path outside is outside; an address without a path is nowhere.
        let unix = u64::from(libc::AF_UNIX.unsigned_abs());
        refused.when(libc::SYS_socket, Some((0, Length::Dword, Compare::Eq, unix)))?;
    }
    if let Some(reach) = &sandbox.reach {
        metadata(&mut refused, reach.write.is_empty())?;
        for request in CHANGES {
            refused.when(libc::SYS_ioctl, Some((1, Length::Dword, Compare::Eq, request)))?;
        }
        if truncation {
            truncated(&mut refused)?;
        }
    }
    if sandbox.processes == Some(1) {
        let threads = libc::CLONE_THREAD.unsigned_abs().into();
        refused.when(libc::SYS_clone, Some((0, Length::Qword, Compare::MaskedEq(threads), 0)))?;
        #[cfg(target_arch = "x86_64")]
        refused.always(&[libc::SYS_fork, libc::SYS_vfork])?;
    }
    Ok(refused)
}

/// Files that are truncated by their path, or opened for reading and truncated all the same.
fn truncated(refused: &mut Refused) -> Result<(), seccompiler::BackendError> {
    let mask = u64::from((libc::O_ACCMODE | libc::O_TRUNC).unsigned_abs());
    let reads = u64::from((libc::O_RDONLY | libc::O_TRUNC).unsigned_abs());
    refused.always(&[libc::SYS_truncate])?;
    #[cfg(target_arch = "x86_64")]
    refused.when(libc::SYS_open, Some((1, Length::Dword, Compare::MaskedEq(mask), reads)))?;
    refused.when(libc::SYS_openat, Some((2, Length::Dword, Compare::MaskedEq(mask), reads)))
}

/// Landlock leaves modes, owners, times and attributes alone. By their path they can't be changed at all; through an
/// open file they can where something may be written.
fn metadata(refused: &mut Refused, nothing_written: bool) -> Result<(), seccompiler::BackendError> {
    use number::{FCHMODAT2, FILE_SETATTR, REMOVEXATTRAT, SETXATTRAT};
    refused.always(&[libc::SYS_fchmodat, FCHMODAT2, libc::SYS_fchownat, FILE_SETATTR])?;
    refused.always(&[libc::SYS_setxattr, libc::SYS_lsetxattr, SETXATTRAT])?;
    refused.always(&[libc::SYS_removexattr, libc::SYS_lremovexattr, REMOVEXATTRAT])?;
    #[cfg(target_arch = "x86_64")]
    {
        refused.always(&[libc::SYS_chmod, libc::SYS_chown, libc::SYS_lchown])?;
        refused.always(&[libc::SYS_utime, libc::SYS_utimes, libc::SYS_futimesat])?;
    }
    if nothing_written {
        refused.always(&[libc::SYS_fchmod, libc::SYS_fchown, libc::SYS_fsetxattr, libc::SYS_fremovexattr])?;
        return refused.always(&[libc::SYS_utimensat]);
    }
    // Without a path it is `futimens`, through an open file.
    refused.when(libc::SYS_utimensat, Some((1, Length::Qword, Compare::Ne, 0)))
}

/// Calls that are said not to exist, so that programs do without them.
fn absent(sandbox: &Sandbox, truncation: bool) -> Result<Refused, seccompiler::BackendError> {
    let mut absent = Refused::default();
    // The flags of `clone3` and `openat2` are out of a filter's sight; the C libraries fall back to `clone` and `openat`.
    absent.always(&[libc::SYS_io_uring_setup, libc::SYS_clone3])?;
    if truncation {
        absent.always(&[libc::SYS_openat2])?;
    }
    if sandbox.memory.is_some() {
        // Memory that no limit counts.
        absent.always(&[libc::SYS_memfd_create, number::MEMFD_SECRET, libc::SYS_shmget])?;
    }
    Ok(absent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Landlock does on a kernel that knows of truncation, the filter does on one that does not. The filter binds the
    /// thread that applies it.
    #[test]
    fn an_old_kernel_truncates_nothing_that_is_only_read() {
        use std::os::unix::fs::OpenOptionsExt;
        let folder = tempfile::tempdir().unwrap();
        let (kept, written) = (folder.path().join("kept"), folder.path().join("written"));
        std::fs::write(&kept, "kept").unwrap();
        let sandbox = Sandbox {
            reach: Some(Default::default()),
            network: true,
            memory: None,
            cpu: None,
            processes: None,
            file_size: None,
            best_effort: false,
        };
        let attacks = std::thread::spawn(move || {
            apply(&compile(&sandbox, true).unwrap()).unwrap();
            let truncating = std::fs::File::options().read(true).custom_flags(libc::O_TRUNC).open(&kept);
            let refused = truncating.unwrap_err().raw_os_error();
            (refused, std::fs::write(&written, "new").is_ok(), std::fs::read(&kept).unwrap())
        });
        assert_eq!(attacks.join().unwrap(), (Some(libc::EPERM), true, b"kept".to_vec()));
    }
}

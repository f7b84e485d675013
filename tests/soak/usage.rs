//! What a process uses, as Linux tells it.

/// Files, threads and memory of a process at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Open files, pipes and sockets.
    pub files: usize,
    pub threads: usize,
    /// Memory that is not swapped out.
    pub resident_kib: usize,
}

impl Usage {
    /// Of the process with this id.
    pub fn of(pid: u32) -> Usage {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let number = |name: &str| -> usize {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        Usage {
            files: std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count(),
            threads: number("Threads:"),
            resident_kib: number("VmRSS:"),
        }
    }

    /// The most of each.
    pub fn most(all: &[Usage]) -> Usage {
        let most = |part: fn(&Usage) -> usize| all.iter().map(part).max().unwrap_or(0);
        Usage { files: most(|u| u.files), threads: most(|u| u.threads), resident_kib: most(|u| u.resident_kib) }
    }
}

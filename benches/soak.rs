//! A thousand reloads under load: run with `cargo bench --bench soak`; it takes some minutes, prints what it saw and
//! fails if anything was hurt. `tests/soak.rs` is the same for some seconds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

/// The tests' own clients and servers.
#[allow(dead_code, unused_imports)]
#[path = "../tests"]
mod tests {
    pub mod harness;
    pub mod soak;
}

use std::time::Duration;

use tests::{harness, soak};

const PLAN: soak::Plan = soak::Plan { edits: 1000, pause: Duration::from_millis(1), longest: Duration::from_secs(900) };

fn main() {
    let found = tokio::runtime::Runtime::new().unwrap().block_on(soak::soak(&PLAN));
    println!("{} edits in {:.0?} under {} calls; none failed", PLAN.edits, found.took, found.calls);
    println!("{} notifications; none missing, none doubled", found.told);
    let mut grown = Vec::new();
    for (name, before, after) in found.usage {
        println!("the {name} server at most, in the first part and in the last:");
        println!("  open files {:>6} {:>6}", before.files, after.files);
        println!("  threads    {:>6} {:>6}", before.threads, after.threads);
        println!("  memory     {:>6} {:>6} KiB", before.resident_kib, after.resident_kib);
        // Clients' connections and threads without work come and go.
        let grows = after.files > before.files + 4
            || after.threads > before.threads + 4
            || after.resident_kib > before.resident_kib + before.resident_kib / 10 + 2048;
        grown.extend(grows.then_some(name));
    }
    assert!(grown.is_empty(), "grown: {grown:?}");
}

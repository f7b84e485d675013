//! `sandbox`: ways around it that are less well known, and systems that can't keep what it promises.

use std::process::Stdio;

use tokio::process::Command;

use crate::harness::{Output, Spec, soon};
use crate::sandbox::{as_nobody, refused, run, sandboxed};

/// A system call by its number on x86-64 and elsewhere, as Perl calls it.
fn call(on_x86: u32, elsewhere: u32, arguments: &str) -> String {
    let number = if cfg!(target_arch = "x86_64") { on_x86 } else { elsewhere };
    format!("perl -e '$b = \"\\0\" x 256; syscall({number}, {arguments}) >= 0 or die \"$!\\n\"; print \"done\"'")
}

#[tokio::test]
async fn memory_is_for_all_processes_together() {
    let spec = sandboxed("{ memory: 160MiB }");
    let child = "perl -e '$n = 60_000_000; $x = \"a\" x $n; sleep 300' &";
    refused(&spec, &format!("{} wait", child.repeat(8)), "used more memory together than its sandbox allows").await;
    // What a fork shares with its parent counts once.
    let forks = "perl -e '$n = 60_000_000; $x = \"a\" x $n; for (1..6) { fork // die; } sleep 1; print \"fine\"'";
    let output =
        run(&spec, &forks.replace("for (1..6) { fork // die; }", "for (1..6) { last unless fork // die }")).await;
    assert_eq!((output.code, output.out.trim()), (0, "fine".repeat(7).as_str()), "{output:?}");
}

#[tokio::test]
async fn no_socket_of_any_kind_on_any_way() {
    let spec = sandboxed("{ network: false }");
    // Raw, netlink, packet, the kernel's cryptography, a virtual machine's host, Bluetooth.
    for (family, kind) in [(2, 3), (10, 3), (16, 3), (17, 3), (38, 5), (40, 1), (31, 3), (1, 2)] {
        refused(&spec, &call(41, 198, &format!("{family}, {kind}, 0")), "not permitted").await;
    }
    refused(&spec, &call(425, 425, "8, $b"), "not implemented").await;
}

/// A program of 32 bits that opens a socket by the calls of its own world, and ends with 42 if it got one.
#[cfg(target_arch = "x86_64")]
#[tokio::test]
async fn the_calls_of_another_world_are_none() {
    use std::os::unix::fs::PermissionsExt;
    let code: [u8; 45] = [
        0xb8, 0x67, 1, 0, 0, 0xbb, 2, 0, 0, 0, 0xb9, 1, 0, 0, 0, 0x31, 0xd2, 0xcd, 0x80, // socket(2, 1, 0)
        0x85, 0xc0, 0x78, 0x0c, 0xb8, 1, 0, 0, 0, 0xbb, 42, 0, 0, 0, 0xcd, 0x80, // if it gave one: exit(42)
        0x31, 0xc0, 0x40, 0x31, 0xdb, 0x43, 0xcd, 0x80, 0x90, 0x90, // else exit(1)
    ];
    let (base, length) = (0x0804_8000_u32, 84 + 45_u32);
    let mut program: Vec<u8> = b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x03\0\x01\0\0\0".to_vec();
    let word = |n: u32| n.to_le_bytes();
    program.extend([base + 84, 52, 0, 0].map(word).concat());
    program.extend([52, 0, 32, 0, 1, 0, 0, 0, 0, 0, 0, 0]);
    program.extend([1, 0, base, base, length, length, 5, 0x1000].map(word).concat());
    program.extend(code);
    let in_sandbox = |sandbox: &str| {
        let spec = sandboxed(sandbox).file("old", &program);
        std::fs::set_permissions(spec.folder().join("old"), std::fs::Permissions::from_mode(0o755)).unwrap();
        spec
    };
    let free = run(&in_sandbox("{ fileSize: 1MiB, network: true }"), "./old; echo $?").await;
    let confined = run(&in_sandbox("{ network: false }"), "./old; echo $?").await;
    assert_ne!(confined.out.trim(), "42", "without it: {free:?}");
}

#[tokio::test]
async fn nothing_is_inherited() {
    let spec = sandboxed("{ fileSize: 1GiB }");
    let list = "exec perl -e 'opendir(D, \"/proc/self/fd\") or die; print join(\",\", sort grep(/\\d/, readdir(D)))'";
    assert_eq!(run(&spec, list).await.out.trim(), "0,1,2,3", "the fourth is the folder that it reads");
    // What the server itself was given by whoever started it.
    let confined = sandboxed("{ read: [./docs] }");
    let script = "script=perl -e 'open(F, \">&=\", 7) && truncate(F, 0) && die \"reached\"; die \"$!\"'";
    let mut command = Command::new("sh");
    command.args(["-c", "exec 7<>secret.txt; exec \"$0\" call spec.yaml run \"$1\""]);
    command.args([env!("CARGO_BIN_EXE_mcp-declare"), script]).current_dir(confined.folder()).stdin(Stdio::null());
    let output = soon("a call", command.kill_on_drop(true).output()).await.unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(words.contains("Bad file descriptor"), "{words}");
    assert_eq!(confined.get("secret.txt"), "secret\n");
    refused(&confined, "ln secret.txt docs/linked || ln docs/open.txt out/linked", "ermission denied").await;
}

#[tokio::test]
async fn a_file_that_is_read_is_not_changed_through_its_handle() {
    for sandbox in ["{ read: [./docs], write: [] }", "{ read: [./docs], write: [./out] }"] {
        let spec = sandboxed(sandbox);
        for request in ["0x40086602", "0x401c5820", "0x40087602", "0x40806685", "0x5000940e"] {
            let attempt = format!(
                "perl -e 'open(F, \"<\", \"docs/open.txt\") or die; $x = \"\\0\" x 4096; ioctl(F, {request}, $x) or die \"$!\\n\"'"
            );
            refused(&spec, &attempt, "not permitted").await;
        }
        let truncating = call(257, 56, "-100, $f, 01000, 0").replace("-e '", "-e '$f = \"docs/open.txt\"; ");
        refused(&spec, &truncating, "ermission denied").await;
        refused(&spec, "perl -e 'open(F, \"<\", \"docs/open.txt\"); truncate(F, 0) or die \"$!\\n\"'", "nvalid").await;
        assert_eq!(spec.get("docs/open.txt"), "open\n");
    }
}

#[tokio::test]
async fn the_server_is_out_of_reach() {
    let spec = sandboxed("{ network: false }");
    let call_as_nobody = |script: &str| {
        let script = format!("script={script}");
        let spec = &spec;
        async move { as_nobody(spec, &["call", "spec.yaml", "run", &script]).await }
    };
    for file in ["environ", "mem", "maps", "fd/0", "root/etc/passwd"] {
        let output = call_as_nobody(&format!("cat /proc/$PPID/{file}")).await;
        assert!(output.code == 1 && output.err.contains("ermission denied"), "{file}: {output:?}");
    }
    refused(&spec, &call(302, 261, "getppid(), 7, $b, 0"), "not permitted").await;
    assert_eq!(run(&spec, "ulimit -n 100; ulimit -n").await.out.trim(), "100", "its own limits are its own");
    for script in ["unshare -U true", "unshare -Ur mount -t tmpfs none /mnt", &call(56, 220, "0x10000011, 0, 0, 0, 0")]
    {
        refused(&spec, script, "not permitted").await;
    }
    let moved = run(&spec, "mv secret.txt out/ && mv out/secret.txt docs/ && cat docs/secret.txt").await;
    assert_eq!(moved.out, "secret\n", "files are free: {moved:?}");
    let threads = "perl -Mthreads -e 'print threads->create(sub { 7 })->join' 2>/dev/null || echo 7";
    assert_eq!(run(&spec, threads).await.out.trim(), "7");
}

/// `check` on a system that fails these system calls: by their numbers on x86-64 and elsewhere, and the error.
async fn check_without(spec: &Spec, calls: &[(u32, u32, u32)]) -> Output {
    let number = |(x86, elsewhere, _): &(u32, u32, u32)| if cfg!(target_arch = "x86_64") { *x86 } else { *elsewhere };
    let filter: String = calls
        .iter()
        .map(|call| {
            format!("pack('SCCL', 0x15, 0, 1, {}) . pack('SCCL', 6, 0, 0, 0x50000 | {}) .", number(call), call.2)
        })
        .collect();
    let prctl = if cfg!(target_arch = "x86_64") { 157 } else { 167 };
    let perl = format!(
        "$f = pack('SCCL', 0x20, 0, 0, 0) . {filter} pack('SCCL', 6, 0, 0, 0x7fff0000);
         $p = pack('S x6 P', length($f) / 8, $f);
         syscall({prctl}, 38, 1, 0, 0, 0) == 0 && syscall({prctl}, 22, 2, $p, 0, 0) == 0 or die $!;
         exec @ARGV or die $!"
    );
    let mut command = Command::new("perl");
    command.args(["-e", &perl, env!("CARGO_BIN_EXE_mcp-declare"), "check"]).arg(spec.path());
    command.stdin(Stdio::null()).kill_on_drop(true);
    let output = soon("check", command.output()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn each_promise_is_missed_where_its_means_are() {
    const ALL: &str = "{ read: [./docs], network: false, memory: 1GiB, processes: 1 }";
    let (landlock, seccomp, capset) = ((444, 444, 38), (317, 277, 38), (126, 91, 1));
    let files = "`read` and `write` can't be kept here";
    let network = "`network: false` can't be kept here";
    let limits = "`memory`, `cpu` and `fileSize` can't be kept here";
    let one = "`processes` can't be kept here";
    for (missing, unkept, reason) in [
        (landlock, vec![files], "the kernel has no Landlock (Linux 5.13 and later, unless it was left out)"),
        (seccomp, vec![files, network, one], "the kernel refuses to filter system calls"),
        (capset, vec![limits], "privileges can't be dropped"),
    ] {
        let strict = check_without(&sandboxed(ALL), &[missing]).await;
        assert!(strict.code == 1 && strict.out.contains(reason), "{reason}: {strict:?}");
        for promise in [files, network, limits, one] {
            assert_eq!(
                strict.out.contains(&format!("error[sandbox]: {promise}")),
                unkept.contains(&promise),
                "{promise}"
            );
        }
        let lenient = sandboxed(&ALL.replace(" }", ", bestEffort: true }"));
        let lenient = check_without(&lenient, &[missing]).await;
        assert_eq!(lenient.code, 0, "{lenient:?}");
        for promise in unkept {
            assert!(lenient.out.contains(&format!("warning[sandbox]: {promise}")), "{lenient:?}");
        }
    }
}

#[tokio::test]
async fn more_processes_than_one_bind_everybody_but_root() {
    use std::os::unix::fs::MetadataExt;
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let strict = sandboxed("{ processes: 100 }").run("check", &[]).await;
    let words = "`processes` can't be kept here: root is bound by no limit on processes";
    assert_eq!((strict.code, strict.out.contains(words)), if root { (1, true) } else { (0, false) }, "{strict:?}");
    let lenient = sandboxed("{ processes: 100, bestEffort: true }");
    assert_eq!(run(&lenient, "ls docs | cat").await.out, "open.txt\n");
}

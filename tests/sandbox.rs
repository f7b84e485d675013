//! `sandbox`: what a command tries, and the kernel doesn't let it do. Every attack goes through a tool of a served spec.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use serde_json::json;
use tokio::process::Command;

use crate::harness::{Era, Output, Spec, soon};

const BINARY: &str = env!("CARGO_BIN_EXE_mcp-declare");

/// A tool `run` that runs any script in this sandbox, beside a folder that may be read, one that may be written, and a secret.
pub fn sandboxed(sandbox: &str) -> Spec {
    let spec = Spec::tools(&format!(
        r#"
        run:
          params: {{ script: string }}
          shell: {{ script: 'eval "$script"', sandbox: {sandbox}, timeout: 50s }}
        "#
    ));
    spec.file("docs/open.txt", "open\n").file("out/old.txt", "old\n").file("secret.txt", "secret\n")
}

pub async fn run(spec: &Spec, script: &str) -> Output {
    spec.run("call", &["run", &format!("script={script}")]).await
}

/// Runs a script that must fail, for a reason that has these words in it.
pub async fn refused(spec: &Spec, script: &str, words: &str) {
    let output = run(spec, script).await;
    assert_eq!(output.code, 1, "{script}: {output:?}");
    assert!(output.err.contains(words), "{script}: {words:?} is not in {output:?}");
}

const READ_DOCS: &str = "{ read: [./docs], write: [] }";

#[tokio::test]
async fn only_what_may_be_read_is_read() {
    let spec = sandboxed(READ_DOCS);
    std::os::unix::fs::symlink("/etc/passwd", spec.folder().join("docs/passwd")).unwrap();
    std::os::unix::fs::symlink("../secret.txt", spec.folder().join("docs/beside")).unwrap();
    assert_eq!(run(&spec, "cat docs/open.txt docs/../docs/open.txt").await.out, "open\nopen\n");
    assert_eq!(run(&spec, "head -c 3 /dev/zero | wc -c; echo x > /dev/null").await.out.trim(), "3");
    for path in [
        "/etc/passwd",
        "secret.txt",
        "docs/../secret.txt",
        "docs/passwd",
        "docs/beside",
        "spec.yaml",
        "/proc/self/environ",
        "/proc/self/root/etc/passwd",
        "/proc/self/cwd/secret.txt",
        "/proc/1/cmdline",
        "/dev/kmsg",
    ] {
        refused(&spec, &format!("cat {path}"), "Permission denied").await;
        refused(&spec, &format!("exec 9<{path}; cat <&9"), "ermission denied").await;
    }
    refused(&spec, "ls", "Permission denied").await;
    refused(&spec, "ls /proc", "Permission denied").await;
    refused(&spec, "cd /etc && ls", "Permission denied").await;
    let links = "ln -s /etc/passwd docs/new || ln -s /etc/passwd /tmp/new-$$";
    refused(&spec, links, "Permission denied").await;
}

#[tokio::test]
async fn nothing_is_changed_where_nothing_may_be_written() {
    let spec = sandboxed(READ_DOCS);
    for attempt in [
        "echo x > new.txt",
        "echo x > docs/new.txt",
        "echo x > /tmp/mcp-declare-new",
        "echo x >> docs/open.txt",
        "rm docs/open.txt",
        "rm secret.txt",
        "mkdir docs/new",
        "mv docs/open.txt docs/moved",
        "ln docs/open.txt docs/linked",
        "ln secret.txt docs/linked",
        "mkfifo docs/pipe",
        "chmod 777 docs/open.txt",
        "chmod 777 secret.txt",
        "chown 1:1 secret.txt",
        "touch docs/open.txt",
        "touch -d @0 secret.txt",
        "perl -e 'truncate(\"secret.txt\", 0) or die $!'",
        "perl -e 'open(F, \"<\", \"docs/open.txt\") or die $!; chmod(0777, *F) or die $!'",
    ] {
        let output = run(&spec, attempt).await;
        assert_eq!(output.code, 1, "{attempt}: {output:?}");
        assert!(
            output.err.contains("not permitted") || output.err.contains("ermission denied"),
            "{attempt}: {output:?}"
        );
    }
    assert_eq!((spec.get("docs/open.txt"), spec.get("secret.txt")), ("open\n".to_owned(), "secret\n".to_owned()));
    assert_eq!(std::fs::read_dir(spec.folder().join("docs")).unwrap().count(), 1);
}

#[tokio::test]
async fn what_may_be_written_is_written_and_nothing_else() {
    let spec = sandboxed("{ write: [./out] }");
    let work = "cd out; cat old.txt; echo new > new.txt; mkdir sub; mv new.txt sub; touch sub/t; rm old.txt; ls sub";
    assert_eq!(run(&spec, work).await.out, "old\nnew.txt\nt\n");
    assert_eq!(spec.get("out/sub/new.txt"), "new\n");
    for attempt in [
        "echo x > secret.txt",
        "mv secret.txt out/taken",
        "ln secret.txt out/taken",
        "mv out/sub docs/sub",
        "chmod 777 secret.txt",
        "touch -d @0 secret.txt",
        "mknod out/disk b 8 0",
        "perl -e 'truncate(\"secret.txt\", 0) or die $!'",
        "ln -s ../secret.txt out/link; echo x > out/link",
        "ln -s ../secret.txt out/other; cat out/other",
    ] {
        let output = run(&spec, attempt).await;
        assert_eq!(output.code, 1, "{attempt}: {output:?}");
    }
    assert_eq!(spec.get("secret.txt"), "secret\n");
    assert!(!spec.folder().join("out/taken").exists() && !spec.folder().join("docs/sub").exists());
}

/// A client in Perl: prints `connected`, or dies of the reason.
const CONNECT: &str = r#"
perl -MSocket -e '
  my ($family, $to) = @ARGV;
  my $at = $family == AF_INET ? sockaddr_in($to, inet_aton("127.0.0.1"))
         : $family == AF_INET6 ? sockaddr_in6($to, "\0" x 15 . "\1")
         : pack("S a*", AF_UNIX, $to =~ /^@(.*)/ ? "\0$1" : $to);
  socket(my $s, $family, SOCK_STREAM, 0) or die "no socket: $!\n";
  connect($s, $at) or die "no connection: $!\n";
  print "connected\n";
' "#;

/// Listeners of every kind, and the scripts that connect to them.
struct Listeners {
    _tcp: TcpListener,
    _path: UnixListener,
    _abstract: UnixListener,
    to_tcp: String,
    to_path: String,
    to_abstract: String,
}

impl Listeners {
    fn new(spec: &Spec) -> Listeners {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let path = spec.folder().join("socket");
        let name = format!("mcp-declare-{}", path.display());
        Listeners {
            to_tcp: format!("{CONNECT} 2 {}", tcp.local_addr().unwrap().port()),
            to_path: format!("{CONNECT} 1 {}", path.display()),
            to_abstract: format!("{CONNECT} 1 @{name}"),
            _tcp: tcp,
            _path: UnixListener::bind(path).unwrap(),
            _abstract: UnixListener::bind_addr(&SocketAddr::from_abstract_name(name).unwrap()).unwrap(),
        }
    }
}

#[tokio::test]
async fn without_network_there_is_no_socket() {
    let spec = sandboxed("{ network: false }");
    let Listeners { to_tcp, to_path, to_abstract, .. } = &Listeners::new(&spec);
    for script in [to_tcp, to_path, to_abstract, &format!("{CONNECT} 10 1"), &format!("{CONNECT} 16 1")] {
        refused(&spec, script, "no socket: Operation not permitted").await;
    }
    let pair = "perl -MSocket -e 'socketpair(my $a, my $b, AF_UNIX, SOCK_STREAM, 0) or die $!; print 1'";
    assert_eq!(run(&spec, pair).await.out.trim(), "1", "two ends in one program are no network");
    assert_eq!(
        run(&spec, "cat /etc/passwd > /dev/null && echo free").await.out,
        "free\n",
        "nothing else is restricted"
    );
    let free = sandboxed("{ network: true, fileSize: 1MiB }");
    for script in [to_tcp, to_path, to_abstract] {
        let output = run(&free, script).await;
        assert_eq!(output.out, "connected\n", "{output:?}");
    }
}

#[tokio::test]
async fn a_socket_outside_is_a_file_outside() {
    let spec = sandboxed(READ_DOCS);
    let Listeners { to_tcp, to_path, to_abstract, .. } = &Listeners::new(&spec);
    for script in [to_path, to_abstract] {
        refused(&spec, script, "no socket: Operation not permitted").await;
    }
    assert_eq!(run(&spec, to_tcp).await.out, "connected\n", "`network` is left out");
}

#[tokio::test]
async fn memory_has_an_end() {
    let spec = sandboxed("{ memory: 256MiB }");
    refused(&spec, "perl -e '$x = \"a\" x 10_000_000_000'", "emory").await;
    refused(&spec, "head -c 10000000000 /dev/zero | tail", "emory").await;
    assert_eq!(run(&spec, "head -c 1000000 /dev/zero | tail | wc -c").await.out.trim(), "1000000");
    refused(&spec, "ulimit -v unlimited", "ulimit").await;
    refused(&spec, "ulimit -Hv 100000000", "ulimit").await;
    assert_eq!(run(&spec, "ulimit -v").await.out.trim(), (256 * 1024).to_string());
    // Memory behind a descriptor, and memory that nobody has.
    #[cfg(target_arch = "x86_64")]
    for call in ["319, $name, 0", "29, 0, 1000000000, 0600"] {
        let script = format!("perl -e '$name = \"x\"; syscall({call}) >= 0 or die $!'");
        refused(&spec, &script, "Function not implemented").await;
    }
}

#[tokio::test]
async fn processor_time_and_files_have_an_end() {
    let spec = sandboxed("{ cpu: 1s, fileSize: 64KiB }");
    refused(&spec, "while :; do :; done", "`script` used more processor time than its sandbox allows").await;
    refused(&spec, "exec head -c 1000000 /dev/zero > big", "`script` wrote a larger file than its sandbox allows")
        .await;
    assert_eq!(std::fs::metadata(spec.folder().join("big")).unwrap().len(), 64 * 1024);
    refused(&spec, "ulimit -t unlimited", "ulimit").await;
    refused(&spec, "ulimit -f unlimited", "ulimit").await;
}

#[tokio::test]
async fn one_process_is_one() {
    let spec = sandboxed("{ processes: 1 }");
    refused(&spec, "ls; echo never", "ork").await;
    refused(&spec, "bomb() { bomb | bomb & }; bomb", "ork").await;
    refused(&spec, "exec perl -e 'fork // die \"no fork: $!\\n\"'", "no fork: Operation not permitted").await;
    assert_eq!(run(&spec, "exec echo replaced").await.out, "replaced\n");
}

/// A user whom limits on processes bind: ourselves, or if we are root somebody who owns nothing.
pub async fn as_nobody(spec: &Spec, arguments: &[&str]) -> Output {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = Command::new(if root { "setpriv" } else { BINARY });
    if root {
        // The binary may lie where only root gets to.
        let ours = spec.folder().join("mcp-declare");
        let linked = std::fs::hard_link(BINARY, &ours);
        if linked.is_err_and(|error| error.kind() != ErrorKind::AlreadyExists) {
            std::fs::copy(BINARY, &ours).unwrap();
        }
        std::fs::set_permissions(spec.folder(), std::fs::Permissions::from_mode(0o755)).unwrap();
        // One of this run alone, for the limit counts all that a user runs.
        let user = 100_000 + std::process::id();
        command.arg(format!("--reuid={user}")).args(["--regid=54321", "--clear-groups"]).arg(ours);
    }
    command.args(arguments).current_dir(spec.folder()).stdin(Stdio::null()).kill_on_drop(true);
    let output = soon("a command", command.output()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn a_fork_bomb_has_an_end() {
    let spec = sandboxed("{ processes: 300 }");
    let call = |script: &str| {
        let script = format!("script={script}");
        let spec = &spec;
        async move { as_nobody(spec, &["call", "spec.yaml", "run", &script]).await }
    };
    let few = call("ls docs | cat; echo done").await;
    assert_eq!((few.code, few.out.as_str()), (0, "open.txt\ndone\n"), "{few:?}");
    let many = call("i=0; while [ $i -lt 1000 ]; do sleep 60 & i=$((i+1)); done; echo never").await;
    assert!(many.code == 1 && many.err.contains("ork"), "{many:?}");
    let bomb = call("bomb() { bomb | bomb & }; bomb; sleep 1; echo survived").await;
    assert!(bomb.err.contains("ork") || bomb.out.contains("survived"), "{bomb:?}");
    refused_as_nobody(&spec).await;
}

/// A user other than root is bound, and no attempt lifts the bound.
async fn refused_as_nobody(spec: &Spec) {
    let raised = as_nobody(spec, &["call", "spec.yaml", "run", "script=exec bash -c 'ulimit -u unlimited'"]).await;
    assert!(raised.code == 1 && raised.err.contains("ulimit"), "{raised:?}");
}

#[tokio::test]
async fn a_command_stays_where_it_can_be_ended() {
    let spec = sandboxed("{ fileSize: 1GiB }");
    refused(&spec, "setsid sleep 600; exit $?", "not permitted").await;
    refused(&spec, "perl -e 'setpgrp(0, 0) or die $!'", "not permitted").await;
    let others = "perl -e 'syscall(CALL, 16, getppid(), 0, 0) >= 0 or die $!'";
    let ptrace = if cfg!(target_arch = "x86_64") { "101" } else { "117" };
    refused(&spec, &others.replace("CALL", ptrace), "not permitted").await;
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = kernel.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    if (numbers.next(), numbers.next()) >= (Some(6), Some(12)) {
        refused(&spec, "kill -0 $PPID", "not permitted").await;
    }
    let privileges = run(&spec, "grep -E '^(Cap(Prm|Eff|Inh|Amb)|NoNewPrivs)' /proc/self/status").await.out;
    let values: Vec<&str> = privileges.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(values, ["0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000", "1"]);
}

#[tokio::test]
async fn a_script_of_ones_own_runs_with_its_interpreter() {
    use std::os::unix::fs::PermissionsExt;
    let spec = Spec::tools("own: { exec: { command: [./tool, docs/open.txt], sandbox: { read: [./docs] } } }");
    let spec = spec.file("tool", "#!/usr/bin/env sh\ncat \"$1\"; cat secret.txt\n").file("docs/open.txt", "open\n");
    spec.put("secret.txt", "secret");
    std::fs::set_permissions(spec.folder().join("tool"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = spec.run("call", &["own"]).await;
    assert!(output.code == 1 && output.err.contains("secret.txt: Permission denied"), "{output:?}");
}

#[tokio::test]
async fn defaults_have_a_sandbox_for_all() {
    let spec = Spec::new(
        "
        defaults: { sandbox: { read: [./docs] } }
        tools:
          plain: { exec: { command: [cat, /etc/passwd] } }
          own: { exec: { command: [cat, /etc/passwd], sandbox: { read: [/etc/passwd] } } }
          none: { shell: { script: cat /etc/passwd, sandbox: {} } }
        resources:
          test://passwd: { exec: { command: [cat, /etc/passwd] } }
        ",
    )
    .file("docs/open.txt", "");
    let client = spec.stdio(Era::Legacy).await;
    assert!(client.fails("plain", json!({})).await.contains("Permission denied"));
    assert!(client.text("own", json!({})).await.contains("root:"));
    assert!(client.text("none", json!({})).await.contains("root:"));
    let refused = client.refused("resources/read", json!({ "uri": "test://passwd" })).await;
    assert!(refused.1.contains("Permission denied"), "{refused:?}");
}

/// `check` where no process can be started, so that no promise is found to be kept.
async fn check_where_nothing_is_kept(spec: &Spec) -> Output {
    let nothing =
        r#"{"reach":null,"network":true,"memory":null,"cpu":null,"processes":1,"file_size":null,"best_effort":false}"#;
    let mut command = Command::new(BINARY);
    command.args(["__run", nothing, BINARY, "check"]).arg(spec.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = soon("check", command.output()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Output { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test]
async fn a_promise_that_is_not_kept_is_told_at_load() {
    let strict = sandboxed("{ read: [./docs], network: false, memory: 1GiB }");
    assert_eq!(strict.run("check", &[]).await.code, 0);
    let found = check_where_nothing_is_kept(&strict).await;
    assert_eq!(found.code, 1, "{found:?}");
    for keys in ["`read` and `write`", "`network: false`", "`memory`, `cpu` and `fileSize`"] {
        let words =
            format!("error[sandbox]: {keys} can't be kept here: mcp-declare could not be started a second time");
        assert!(found.out.contains(&words), "{words}: {}", found.out);
    }
    let lenient = sandboxed("{ read: [./docs], network: false, bestEffort: true }");
    let found = check_where_nothing_is_kept(&lenient).await;
    assert!(found.code == 0 && found.out.matches("warning[sandbox]").count() == 2, "{found:?}");
}

#[tokio::test]
async fn what_is_gone_by_the_call_is_said() {
    let spec = sandboxed(READ_DOCS);
    let client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.text("run", json!({ "script": "cat docs/open.txt" })).await, "open\n");
    std::fs::rename(spec.folder().join("docs"), spec.folder().join("gone")).unwrap();
    let words = client.fails("run", json!({ "script": "echo never" })).await;
    assert!(words.contains("the sandbox could not be set up") && words.contains("docs can't be opened"), "{words}");
}

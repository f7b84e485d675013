use super::*;
use rustix::process::test_kill_process;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Plenty, on however busy a machine: what half of it is not enough for waits for something.
const SOON: Duration = Duration::from_secs(60);

fn program(name: &str) -> PathBuf {
    resolve(name, Path::new("/")).unwrap()
}

/// A run of `program` that has plenty of everything.
fn plain<'a>(program: &'a Path, arguments: &[&str]) -> Run<'a> {
    Run {
        program,
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        env: Vec::new(),
        cwd: Path::new(""),
        stdin: None,
        timeout: SOON,
        max_bytes: 1 << 24,
        sandbox: None,
    }
}

fn sh(script: &str) -> Run<'static> {
    plain(Path::new("/bin/sh"), &["-c", script])
}

async fn go(run: Run<'_>) -> Result<Finished, ProcessFault> {
    super::run(run, &CancellationToken::new()).await
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// A file in which a script notes process numbers, and what became of them.
struct Pids(tempfile::TempDir);

impl Pids {
    fn new() -> Self {
        Pids(tempfile::tempdir().unwrap())
    }

    fn script(&self, script: &str) -> String {
        format!("note() {{ echo $1 >> {0}/pids; }}; {script}", self.0.path().display())
    }

    fn noted(&self) -> Vec<i32> {
        let noted = fs::read_to_string(self.0.path().join("pids")).unwrap_or_default();
        noted.lines().filter_map(|line| line.parse().ok()).collect()
    }

    async fn wait_for(&self, count: usize) {
        while self.noted().len() < count {
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// All `count` have ended; the first one, the leader, has been reaped as well.
    async fn assert_gone(&self, count: usize) {
        let pids = self.noted();
        assert_eq!(pids.len(), count);
        let begun = Instant::now();
        while !pids.iter().all(|&pid| ended(pid)) || pids.first().is_some_and(|&pid| exists(pid)) {
            assert!(begun.elapsed() < SOON, "of {pids:?} some survive");
            sleep(Duration::from_millis(10)).await;
        }
    }
}

fn exists(pid: i32) -> bool {
    test_kill_process(rustix::process::Pid::from_raw(pid).unwrap()).is_ok()
}

/// Whether the process is gone, or a zombie that its new parent has yet to reap.
fn ended(pid: i32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_or(!exists(pid), |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

#[tokio::test]
async fn gives_output_and_exit() {
    let finished = go(sh("printf out; printf err >&2; exit 3")).await.unwrap();
    let expected = Finished {
        stdout: b"out".to_vec(),
        stderr: b"err".to_vec(),
        truncated: false,
        stderr_truncated: false,
        exit: Exit::Code(3),
    };
    assert_eq!(finished, expected);
    for (script, exit, words) in [
        ("exit 0", Exit::Code(0), "exit status 0"),
        ("exit 255", Exit::Code(255), "exit status 255"),
        ("kill -TERM $$", Exit::Signal(15), "ended by signal 15"),
        ("kill -KILL $$", Exit::Signal(9), "ended by signal 9"),
    ] {
        let finished = go(sh(script)).await.unwrap();
        assert_eq!((finished.exit, finished.exit.to_string().as_str()), (exit, words), "{script}");
    }
}

#[tokio::test]
async fn arguments_are_never_split_or_expanded() {
    let printf = program("printf");
    let hostile = ["$(id)", "a b", "", "'\"", "`id`", "; rm -rf /", "*", "$HOME", "\n", "-n", "é"];
    let mut arguments = vec!["%s|"];
    arguments.extend(hostile);
    let finished = go(plain(&printf, &arguments)).await.unwrap();
    assert_eq!(text(&finished.stdout), hostile.join("|") + "|");
}

#[tokio::test]
async fn the_environment_is_clean() {
    let env = program("env");
    let mut run = plain(&env, &["-0"]);
    run.env = vec![("GREETING".into(), "a = b\n$HOME".into()), ("HOME".into(), "/elsewhere".into())];
    let finished = go(run).await.unwrap();
    let mut expected: BTreeMap<_, _> =
        safe_env().iter().map(|(name, value)| (name.to_str().unwrap(), value.to_str().unwrap())).collect();
    expected.extend([("GREETING", "a = b\n$HOME"), ("HOME", "/elsewhere")]);
    let seen = text(&finished.stdout).split_terminator('\0').map(|line| line.split_once('=').unwrap());
    assert_eq!(seen.collect::<BTreeMap<_, _>>(), expected);
}

#[tokio::test]
async fn runs_in_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = sh("pwd -P");
    run.cwd = folder.path();
    let finished = go(run).await.unwrap();
    assert_eq!(text(&finished.stdout).trim_end(), folder.path().canonicalize().unwrap().to_str().unwrap());
}

#[tokio::test]
async fn without_input_there_is_none() {
    let cat = program("cat");
    assert_eq!(go(plain(&cat, &[])).await.unwrap().stdout, b"");
    let mut run = plain(&cat, &[]);
    run.stdin = Some(Vec::new());
    assert_eq!(go(run).await.unwrap().exit, Exit::Code(0));
}

#[tokio::test]
async fn ten_megabytes_go_through_cat() {
    let cat = program("cat");
    let bytes: Vec<u8> = (0..10_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[1]).collect();
    let mut run = plain(&cat, &[]);
    run.stdin = Some(bytes.clone());
    let finished = go(run).await.unwrap();
    assert!(finished.stdout == bytes && !finished.truncated);
}

#[tokio::test]
async fn input_need_not_be_read() {
    for script in ["exit 4", "exec 0<&-; echo x; exit 4", "head -c 3 >/dev/null; exit 4"] {
        let mut run = sh(script);
        run.stdin = Some(vec![b'x'; 10_000_000]);
        assert_eq!(go(run).await.unwrap().exit, Exit::Code(4), "{script}");
    }
}

#[tokio::test]
async fn endless_output_is_cut_and_the_group_killed() {
    let pids = Pids::new();
    let script = pids.script("note $$; sleep 300 & note $!; yes; :");
    let mut run = sh(&script);
    run.max_bytes = 4096;
    let begun = Instant::now();
    let finished = go(run).await.unwrap();
    assert!(begun.elapsed() < SOON / 2);
    assert!(finished.truncated);
    assert_eq!(finished.stdout, b"y\n".repeat(2048));
    assert!(finished.stdout.capacity() <= 16 * 1024);
    assert_eq!(finished.exit, Exit::Signal(9));
    pids.assert_gone(2).await;
}

#[tokio::test]
async fn the_bound_itself_is_no_overflow() {
    for (max_bytes, kept, truncated) in
        [(0, "", true), (4, "hell", true), (5, "hello", false), (6, "hello", false), (usize::MAX, "hello", false)]
    {
        let mut run = sh("printf hello");
        run.max_bytes = max_bytes;
        let finished = go(run).await.unwrap();
        assert_eq!((text(&finished.stdout), finished.truncated), (kept, truncated), "{max_bytes}");
    }
    let mut run = sh(":");
    run.max_bytes = 0;
    assert!(!go(run).await.unwrap().truncated);
}

#[tokio::test]
async fn the_end_of_stderr_is_kept() {
    let finished = go(sh("yes | head -c 1000000 >&2; printf 'the reason' >&2; exit 1")).await.unwrap();
    assert_eq!(finished.stderr.len(), STDERR_KEPT);
    assert!(finished.stderr.ends_with(b"y\nthe reason") && finished.stderr_truncated);
    assert_eq!((finished.stdout.as_slice(), finished.exit), (b"".as_slice(), Exit::Code(1)));
}

#[tokio::test]
async fn late_programs_and_their_children_are_killed() {
    let pids = Pids::new();
    let script = pids.script("note $$; sleep 300 & note $!; (sleep 300 & note $!; wait) & note $!; wait");
    let mut run = sh(&script);
    run.timeout = Duration::from_millis(700);
    let begun = Instant::now();
    let fault = go(run).await.unwrap_err();
    assert_eq!(fault, ProcessFault::TimedOut(Duration::from_millis(700)));
    assert_eq!(fault.to_string(), "the program did not finish within 700ms");
    assert!(begun.elapsed() < SOON / 2);
    pids.assert_gone(4).await;
}

#[tokio::test]
async fn who_ignores_the_request_is_killed() {
    let pids = Pids::new();
    let script = pids.script("trap '' TERM; note $$; sleep 300 & note $!; while :; do sleep 300; done");
    let mut run = sh(&script);
    run.timeout = Duration::from_millis(500);
    let begun = Instant::now();
    assert!(matches!(go(run).await, Err(ProcessFault::TimedOut(_))));
    assert!(begun.elapsed() >= TERM_GRACE && begun.elapsed() < SOON);
    pids.assert_gone(2).await;
}

#[tokio::test]
async fn the_grace_is_for_all_of_the_group() {
    let folder = tempfile::tempdir().unwrap();
    let mut run = sh("(trap 'sleep 0.3; yes | head -c 200000; echo bye > farewell; exit' TERM; echo > ready; \
         while :; do sleep 0.05; done) & wait");
    run.cwd = folder.path();
    let cancel = CancellationToken::new();
    let ready = async {
        while !folder.path().join("ready").exists() {
            sleep(Duration::from_millis(5)).await;
        }
        cancel.cancel();
    };
    let (fault, ()) = tokio::join!(super::run(run, &cancel), ready);
    assert_eq!(fault, Err(ProcessFault::Cancelled));
    assert_eq!(fs::read_to_string(folder.path().join("farewell")).unwrap(), "bye\n");
}

#[tokio::test]
async fn cancelling_ends_the_group() {
    let pids = Pids::new();
    let script = pids.script("note $$; sleep 300 & note $!; wait");
    let cancel = CancellationToken::new();
    let noted = async {
        pids.wait_for(2).await;
        cancel.cancel();
    };
    let (fault, ()) = tokio::join!(super::run(sh(&script), &cancel), noted);
    assert_eq!(fault.unwrap_err().to_string(), "the call was cancelled");
    pids.assert_gone(2).await;

    let nothing = Path::new("/nothing/that/could/start");
    assert_eq!(super::run(plain(nothing, &[]), &cancel).await, Err(ProcessFault::Cancelled));
}

#[tokio::test]
async fn a_dropped_future_kills_the_group() {
    let pids = Pids::new();
    let script = pids.script("trap '' TERM; note $$; sleep 300 & note $!; (sleep 300 & note $!; wait) & note $!; wait");
    tokio::select! {
        _ = go(sh(&script)) => panic!("it ended"),
        () = pids.wait_for(4) => {}
    }
    pids.assert_gone(4).await;
}

#[tokio::test]
async fn what_stays_in_the_background_holds_nothing_up() {
    for background in ["sleep 300 &", "sleep 300 >/dev/null 2>&1 &", "(sleep 300; echo) 2>/dev/null &", "yes >&2 &"] {
        let pids = Pids::new();
        let script = pids.script(&format!("note $$; {background} note $!; echo done; exit 5"));
        let begun = Instant::now();
        let finished = go(sh(&script)).await.unwrap();
        assert!(begun.elapsed() < SOON / 2, "{background}");
        assert_eq!((text(&finished.stdout), finished.exit), ("done\n", Exit::Code(5)), "{background}");
        pids.assert_gone(2).await;
    }
}

#[tokio::test]
async fn what_leaves_the_group_holds_nothing_up_either() {
    let begun = Instant::now();
    let finished = go(sh("setsid sleep 40 & echo done")).await.unwrap();
    assert_eq!((text(&finished.stdout), finished.exit), ("done\n", Exit::Code(0)));
    assert!(begun.elapsed() < SOON / 2);
}

#[tokio::test]
async fn what_comes_shortly_after_the_end_is_read() {
    let finished = go(sh("(sleep 0.01; printf late) & printf early")).await.unwrap();
    assert_eq!(text(&finished.stdout), "earlylate");
}

#[tokio::test]
async fn endless_errors_do_not_stop_the_clock() {
    let pids = Pids::new();
    let script = pids.script("note $$; exec yes >&2");
    let mut run = sh(&script);
    run.timeout = Duration::from_millis(500);
    let begun = Instant::now();
    assert!(matches!(go(run).await, Err(ProcessFault::TimedOut(_))));
    assert!(begun.elapsed() < SOON / 2);
    pids.assert_gone(1).await;
}

#[tokio::test]
async fn closing_the_outputs_is_not_the_end() {
    let finished = go(sh("exec >&- 2>&-; sleep 0.2; exit 6")).await.unwrap();
    assert_eq!(finished.exit, Exit::Code(6));
}

#[tokio::test]
async fn slots_are_few_and_waiting_for_one_takes_time() {
    let (slots, cancel) = (Semaphore::new(1), CancellationToken::new());
    let mut late = sh("echo never");
    late.timeout = Duration::from_millis(100);
    let (first, second, third) = tokio::join!(
        run_in(&slots, sh("sleep 0.5; echo first"), &cancel, None),
        run_in(&slots, late, &cancel, None),
        run_in(&slots, sh("echo third"), &cancel, None),
    );
    assert_eq!(text(&first.unwrap().stdout), "first\n");
    let fault = second.unwrap_err();
    assert_eq!(fault, ProcessFault::Busy(Duration::from_millis(100)));
    assert_eq!(fault.to_string(), "the program was not started: 64 others were running for 100ms");
    assert_eq!(text(&third.unwrap().stdout), "third\n");
    assert_eq!(slots.available_permits(), 1);
}

#[tokio::test]
async fn slots_come_back_however_a_run_ends() {
    let (slots, cancel) = (Semaphore::new(2), CancellationToken::new());
    let mut late = sh("sleep 300");
    late.timeout = Duration::from_millis(50);
    run_in(&slots, late, &cancel, None).await.unwrap_err();
    run_in(&slots, plain(Path::new("/nothing"), &[]), &cancel, None).await.unwrap_err();
    let _ = timeout(Duration::from_millis(50), run_in(&slots, sh("sleep 300"), &cancel, None)).await;
    assert_eq!(slots.available_permits(), 2);
}

#[tokio::test]
async fn many_at_once() {
    let runs = (0..100).map(|n| async move { go(sh(&format!("echo {n}"))).await.unwrap().stdout });
    for (n, stdout) in futures_util::future::join_all(runs).await.into_iter().enumerate() {
        assert_eq!(text(&stdout), format!("{n}\n"));
    }
}

#[tokio::test]
async fn the_longest_timeout_is_no_overflow() {
    let mut run = sh("echo x");
    run.timeout = Duration::MAX;
    assert_eq!(go(run).await.unwrap().stdout, b"x\n");
}

#[tokio::test]
async fn what_cannot_be_handed_over_is_refused() {
    let with = |change: &dyn Fn(&mut Run<'static>)| {
        let mut run = sh(":");
        change(&mut run);
        run
    };
    for (run, expected) in [
        (
            with(&|run| run.arguments.push("a\0b".into())),
            "argument 3 has a NUL byte in it, which no program can be given",
        ),
        (
            with(&|run| run.env.push(("X".into(), "\0".into()))),
            "environment variable X has a NUL byte in it, which no program can be given",
        ),
        (with(&|run| run.env.push(("A=B".into(), "c".into()))), "an environment variable can't be named `A=B`"),
        (with(&|run| run.env.push((String::new(), "c".into()))), "an environment variable can't be named ``"),
        (with(&|run| run.env.push(("A\0".into(), "c".into()))), "an environment variable can't be named `A\\0`"),
        (
            with(&|run| run.cwd = Path::new("/\0")),
            "the working folder has a NUL byte in it, which no program can be given",
        ),
    ] {
        assert_eq!(go(run).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn what_does_not_start_says_why() {
    let folder = tempfile::tempdir().unwrap();
    // Another program writes them: a file that this one has open for writing may still be so in a program that another
    // test starts just then, and can't be executed meanwhile.
    let mut run = sh("printf '\\001\\002' > binary; echo '#!/no/such/thing' > lost; : > text; chmod 755 binary lost");
    run.cwd = folder.path();
    go(run).await.unwrap();
    for (name, why) in [
        ("nothing", "its file does not exist"),
        ("binary", "its file is neither a program for this machine nor a script with a `#!` line"),
        ("lost", "the interpreter that its first line names does not exist"),
        ("text", "permission denied"),
    ] {
        let program = folder.path().join(name);
        let fault = go(plain(&program, &[])).await.unwrap_err();
        assert_eq!(fault.to_string(), format!("the program could not be started: {why}"));
    }
    let mut run = sh(":");
    run.cwd = Path::new("/no/such/folder");
    assert_eq!(go(run).await, Err(ProcessFault::NotStarted("its working folder does not exist".into())));
    let run = plain(Path::new("/bin/sh"), &["-c", ":", &"x".repeat(10 << 20)]);
    let why = "its arguments and environment are longer than the system allows";
    assert_eq!(go(run).await, Err(ProcessFault::NotStarted(why.into())));
}

#[tokio::test]
async fn lines_of_stderr_are_told_while_the_program_runs() {
    let cancel = CancellationToken::new();
    let told = std::sync::Mutex::new(Vec::new());
    let listen = |line: &str| {
        told.lock().unwrap().push(line.to_owned());
        if line == "three" {
            cancel.cancel();
        }
    };
    let run = sh("printf 'one\\rtwo\\n\\nth' >&2; echo out; sleep 0.1; echo ree >&2; sleep 300");
    assert_eq!(watch(run, &cancel, Some(&listen)).await, Err(ProcessFault::Cancelled));
    assert_eq!(*told.lock().unwrap(), ["one", "two", "three"]);
}

//! The watchdog's own side.

use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group, test_kill_process_group};

use super::Running;

/// How long what does not die is killed over and over.
const KILL_FOR: Duration = Duration::from_secs(2);

/// How long the dead are given to be gone.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Commands by the order of their starts.
type Commands = BTreeMap<u64, Running>;

/// Listens to the server until its end, and then kills the commands that it left.
pub fn keep(server: impl BufRead) {
    let mut running = Commands::new();
    for line in server.lines().map_while(Result::ok) {
        // What can't be read is none of ours.
        let _ = hear(&line, &mut running);
    }
    let until = Instant::now() + KILL_FOR;
    while !running.is_empty() && kill(&running) && Instant::now() < until {
        sleep(LOOK_EVERY);
    }
}

fn hear(line: &str, commands: &mut Commands) -> Option<()> {
    let mut words = line.split(' ');
    let verb = words.next()?;
    let number = words.next()?.parse().ok()?;
    match verb {
        "runs" => {
            let pipe = words.next()?.parse().ok()?;
            let group = words.next().and_then(|group| group.parse().ok());
            commands.insert(number, Running { pipe, group });
        }
        "end" => {
            commands.remove(&number);
        }
        _ => {}
    }
    Some(())
}

/// Kills all that is left; whether there was anything.
fn kill(running: &Commands) -> bool {
    let groups = running.values().filter_map(|command| command.group).filter_map(Pid::from_raw);
    let mut left = false;
    for group in groups.filter(|group| test_kill_process_group(*group).is_ok()) {
        left = true;
        let _ = kill_process_group(group, Signal::KILL);
    }
    // What had no number yet, and what went into a group of its own and still holds the pipe.
    for process in holders(running) {
        left = true;
        let _ = kill_process(process, Signal::KILL);
    }
    left
}

/// The processes that hold one of the pipes open; where there is no `/proc`, none.
fn holders(running: &Commands) -> Vec<Pid> {
    let ourselves = std::process::id();
    let folders = fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = folders.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let others = numbers.filter(|number| u32::try_from(*number).is_ok_and(|number| number != ourselves));
    others.filter(|number| holds(*number, running)).filter_map(Pid::from_raw).collect()
}

fn holds(process: i32, running: &Commands) -> bool {
    let open = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let pipe = |link: &Path| -> Option<u64> { link.to_str()?.strip_prefix("pipe:[")?.strip_suffix(']')?.parse().ok() };
    open.filter_map(|entry| pipe(&fs::read_link(entry.path()).ok()?))
        .any(|pipe| running.values().any(|command| command.pipe == pipe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    #[test]
    fn commands_come_and_go() {
        let mut running = Commands::new();
        for line in
            ["runs 1 10", "runs 2 20", "runs 1 10 77", "end 2", "runs 3 10", "nonsense", "runs x 1", "runs 4", ""]
        {
            hear(line, &mut running);
        }
        let (first, third) = (Running { pipe: 10, group: Some(77) }, Running { pipe: 10, group: None });
        assert_eq!(
            running,
            Commands::from([(1, first), (3, third)]),
            "pipes may have the same number where they have none"
        );
    }

    #[test]
    fn what_is_left_at_the_end_is_killed() {
        use std::os::unix::process::ExitStatusExt;
        let sleeper = || {
            let (_, theirs) = std::io::pipe().unwrap();
            let pipe = rustix::fs::fstat(&theirs).unwrap().st_ino;
            let mut command = Command::new("sleep");
            (command.arg("600").process_group(0).stderr(theirs).stdout(Stdio::null()).spawn().unwrap(), pipe)
        };
        let (mut by_group, first) = sleeper();
        let (mut by_pipe, second) = sleeper();
        let told = format!("runs 1 {first}\nruns 1 {first} {}\nruns 2 {second}\n", by_group.id());
        let keeper = std::thread::spawn(move || keep(told.as_bytes()));
        for killed in [&mut by_group, &mut by_pipe] {
            assert_eq!(killed.wait().unwrap().signal(), Some(9));
        }
        keeper.join().unwrap();
    }
}

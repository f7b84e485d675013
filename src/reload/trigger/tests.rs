//! Real files, changed as editors, shells, git and Kubernetes change them.
//!
//! Where nothing else is said the backstop is off, and so is the look after `set_paths`: it is the events that must
//! be noticed.

mod causes;
#[cfg(unix)]
mod config_map;
mod files;
mod folders;
mod loading;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

/// Only a fault lets it pass.
const GENEROUS: Duration = Duration::from_secs(60);
const NEVER: Duration = Duration::from_secs(3_600);

/// Long enough for a reload that must not come; too short a time could only hide one.
const QUIET: Duration = Duration::from_millis(200);

struct Scene {
    keep: TempDir,
    trigger: Trigger,
    paths: Vec<PathBuf>,
}

/// A folder with these files, which are the paths.
fn scene(names: &[&str]) -> Scene {
    scene_with(names, WatchConfig::default(), Some(NEVER))
}

fn scene_with(names: &[&str], config: WatchConfig, every: Option<Duration>) -> Scene {
    let keep = tempfile::tempdir().unwrap();
    let paths: Vec<_> = names.iter().map(|name| keep.path().join(name)).collect();
    for path in &paths {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "one").unwrap();
    }
    let trigger = trigger(config, every, &paths);
    Scene { keep, trigger, paths }
}

/// A trigger that loaded `paths`, which were written some time before.
fn trigger(config: WatchConfig, every: Option<Duration>, paths: &[PathBuf]) -> Trigger {
    std::thread::sleep(TICK * 2);
    let mut trigger = Trigger::new(config);
    trigger.every = every.unwrap_or(trigger.every);
    trigger.hangup = Hangup::none();
    trigger.next_look = Instant::now() + trigger.every;
    trigger.set_paths(paths);
    trigger.burst = None;
    trigger
}

impl Scene {
    fn root(&self) -> &Path {
        self.keep.path()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.keep.path().join(name)
    }

    /// Moves on to other paths, as after a load.
    fn now(&mut self, paths: &[PathBuf]) {
        std::thread::sleep(TICK * 2);
        self.trigger.loading_since = now_or_a_tick_ago();
        self.trigger.set_paths(paths);
        self.trigger.burst = None;
        self.paths = paths.to_vec();
    }

    /// Waits for a change, and loads.
    async fn changed(&mut self) -> Vec<PathBuf> {
        let cause = timeout(GENEROUS, self.trigger.changed()).await.expect("a change is noticed");
        self.trigger.set_paths(&self.paths);
        match cause {
            Cause::Files(paths) => paths,
            Cause::Hangup => panic!("nobody asked"),
        }
    }

    /// One reload for the path, and no second.
    async fn changes_once(&mut self, path: &Path) {
        assert_eq!(self.changed().await, [path]);
        self.stays_quiet().await;
    }

    async fn stays_quiet(&mut self) {
        if let Ok(cause) = timeout(QUIET, self.trigger.changed()).await {
            panic!("reloaded for {cause:?}");
        }
    }
}

fn write_over(path: &Path, text: &str) {
    let other = path.with_extension("new");
    fs::write(&other, text).unwrap();
    fs::rename(&other, path).unwrap();
}

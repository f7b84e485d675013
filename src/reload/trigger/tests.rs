//! Real files, changed as editors, shells, git and Kubernetes change them.
//!
//! Where nothing else is said the backstop is off, and so is the look after `set_paths`: it is the events that must
//! be noticed.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tokio::time::timeout;

use super::*;

const GENEROUS: Duration = Duration::from_secs(5);
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

#[tokio::test]
async fn nothing_changes_nothing_happens() {
    scene(&["spec.yaml"]).stays_quiet().await;
}

#[tokio::test]
async fn written_in_place() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    for text in ["two", "three", "four"] {
        fs::write(&spec, text).unwrap();
        scene.changes_once(&spec).await;
    }
}

#[tokio::test]
async fn renamed_over_again_and_again() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    for text in ["two", "three", "four"] {
        write_over(&spec, text);
        scene.changes_once(&spec).await;
    }
}

#[tokio::test]
async fn saved_by_vim() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    fs::write(scene.path(".spec.yaml.swp"), "swap").unwrap();
    for text in ["two", "three"] {
        fs::write(scene.path("4913"), "").unwrap();
        fs::remove_file(scene.path("4913")).unwrap();
        fs::rename(&spec, scene.path("spec.yaml~")).unwrap();
        fs::write(&spec, text).unwrap();
        fs::remove_file(scene.path("spec.yaml~")).unwrap();
        scene.changes_once(&spec).await;
    }
}

#[tokio::test]
async fn truncated_then_written_slowly() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    let mut file = File::create(&spec).unwrap();
    assert_eq!(scene.changed().await, std::slice::from_ref(&spec));
    file.write_all(b"half ").unwrap();
    assert_eq!(scene.changed().await, std::slice::from_ref(&spec));
    file.write_all(b"whole").unwrap();
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn deleted_and_recreated() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    fs::remove_file(&spec).unwrap();
    scene.changes_once(&spec).await;
    fs::write(&spec, "one").unwrap();
    scene.changes_once(&spec).await;
    fs::write(&spec, "two").unwrap();
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn deleted_and_recreated_with_the_same_bytes_in_one_burst_is_no_change() {
    let mut scene = scene(&["spec.yaml"]);
    fs::remove_file(scene.path("spec.yaml")).unwrap();
    fs::write(scene.path("spec.yaml"), "one").unwrap();
    scene.stays_quiet().await;
}

#[tokio::test]
async fn touched_without_a_change() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    File::options().write(true).open(&spec).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    write_over(&spec, "one");
    scene.stays_quiet().await;
}

#[tokio::test]
async fn a_checkout_of_ten_files_is_one_reload() {
    let names: Vec<String> = (0..10).map(|number| format!("part{number}.yaml")).collect();
    let mut scene = scene(&names.iter().map(String::as_str).collect::<Vec<_>>());
    for name in &names {
        fs::remove_file(scene.path(name)).unwrap();
        fs::write(scene.path(name), "two").unwrap();
    }
    let all: Vec<_> = names.iter().map(|name| scene.path(name)).collect();
    assert_eq!(scene.changed().await, all);
    scene.stays_quiet().await;
}

#[tokio::test]
async fn twenty_saves_are_one_reload() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    for number in 0..20 {
        write_over(&spec, &number.to_string());
    }
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_folder_gains_and_loses_files() {
    let mut scene = scene(&["specs/a.yaml"]);
    let (folder, a) = (scene.path("specs"), scene.path("specs/a.yaml"));
    scene.now(&[folder.clone(), a.clone()]);
    let b = scene.path("specs/b.yaml");
    fs::write(&b, "one").unwrap();
    assert_eq!(scene.changed().await, std::slice::from_ref(&folder));
    scene.now(&[folder.clone(), a.clone(), b.clone()]);
    scene.stays_quiet().await;
    fs::write(&b, "two").unwrap();
    scene.changes_once(&b).await;
    fs::remove_file(&a).unwrap();
    assert_eq!(scene.changed().await, [folder, a]);
    scene.stays_quiet().await;
}

#[tokio::test]
async fn included_and_named_files_in_other_folders() {
    let mut scene = scene(&["spec.yaml", "parts/more.yaml", "sql/find.sql", "prompts/row.hbs", ".env"]);
    for name in ["parts/more.yaml", "sql/find.sql", "prompts/row.hbs", ".env"] {
        let path = scene.path(name);
        fs::write(&path, "two").unwrap();
        scene.changes_once(&path).await;
    }
}

#[tokio::test]
async fn a_file_that_is_missing_at_first() {
    let mut scene = scene(&["spec.yaml"]);
    let env = scene.path("deep/below/.env");
    scene.now(&[scene.path("spec.yaml"), env.clone()]);
    scene.stays_quiet().await;
    fs::create_dir_all(env.parent().unwrap()).unwrap();
    fs::write(&env, "TOKEN=1").unwrap();
    scene.changes_once(&env).await;
    fs::write(&env, "TOKEN=2").unwrap();
    scene.changes_once(&env).await;
}

#[tokio::test]
async fn a_missing_folder_that_appears_step_by_step() {
    let mut scene = scene(&["spec.yaml"]);
    let env = scene.path("deep/below/.env");
    scene.now(std::slice::from_ref(&env));
    fs::create_dir(scene.path("deep")).unwrap();
    scene.stays_quiet().await;
    fs::create_dir(scene.path("deep/below")).unwrap();
    scene.stays_quiet().await;
    fs::write(&env, "TOKEN=1").unwrap();
    scene.changes_once(&env).await;
}

/// What the kubelet does: the files are links through `..data`, which is renamed over.
#[cfg(unix)]
mod config_map {
    use std::os::unix::fs::symlink;

    use super::*;

    fn publish(root: &Path, version: &str) {
        let folder = root.join(format!("..{version}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("spec.yaml"), version).unwrap();
        let old = fs::read_link(root.join("..data")).ok();
        symlink(format!("..{version}"), root.join("..data_tmp")).unwrap();
        fs::rename(root.join("..data_tmp"), root.join("..data")).unwrap();
        if let Some(old) = old {
            fs::remove_dir_all(root.join(old)).unwrap();
        }
    }

    #[tokio::test]
    async fn swapped_again_and_again() {
        let mut scene = scene(&[]);
        let spec = scene.path("spec.yaml");
        publish(scene.root(), "v1");
        symlink("..data/spec.yaml", &spec).unwrap();
        scene.now(std::slice::from_ref(&spec));
        for version in ["v2", "v3", "v4"] {
            publish(scene.root(), version);
            scene.changes_once(&spec).await;
        }
    }

    #[tokio::test]
    async fn swapped_behind_a_link_in_another_folder() {
        let mut scene = scene(&["mount/other"]);
        let spec = scene.path("app.yaml");
        let mount = scene.path("mount");
        publish(&mount, "v1");
        symlink("..data/spec.yaml", mount.join("spec.yaml")).unwrap();
        symlink(mount.join("spec.yaml"), &spec).unwrap();
        scene.now(std::slice::from_ref(&spec));
        for version in ["v2", "v3"] {
            publish(&mount, version);
            scene.changes_once(&spec).await;
        }
        symlink("mount/other", scene.path("link")).unwrap();
        fs::rename(scene.path("link"), &spec).unwrap();
        scene.changes_once(&spec).await;
        fs::write(mount.join("other"), "two").unwrap();
        scene.changes_once(&spec).await;
    }

    #[tokio::test]
    async fn a_linked_folder_of_specs_is_swapped() {
        let mut scene = scene(&["one/a.yaml", "two/a.yaml", "two/b.yaml"]);
        let folder = scene.path("specs");
        symlink("one", &folder).unwrap();
        scene.now(std::slice::from_ref(&folder));
        symlink("two", scene.path("next")).unwrap();
        fs::rename(scene.path("next"), &folder).unwrap();
        scene.changes_once(&folder).await;
        fs::write(scene.path("two/c.yaml"), "").unwrap();
        scene.changes_once(&folder).await;
    }
}

#[tokio::test]
async fn a_folder_is_deleted_and_comes_back() {
    let mut scene = scene(&["branch/spec.yaml"]);
    let spec = scene.path("branch/spec.yaml");
    for text in ["two", "three"] {
        fs::remove_dir_all(scene.path("branch")).unwrap();
        scene.changes_once(&spec).await;
        fs::create_dir(scene.path("branch")).unwrap();
        fs::write(&spec, text).unwrap();
        scene.changes_once(&spec).await;
        fs::write(&spec, "again").unwrap();
        scene.changes_once(&spec).await;
    }
}

#[tokio::test]
async fn a_folder_is_replaced_in_one_burst() {
    let mut scene = scene(&["branch/spec.yaml"]);
    let spec = scene.path("branch/spec.yaml");
    for round in ["two", "three"] {
        fs::rename(scene.path("branch"), scene.path(round)).unwrap();
        fs::create_dir(scene.path("branch")).unwrap();
        fs::write(&spec, round).unwrap();
        scene.changes_once(&spec).await;
        write_over(&spec, "again");
        scene.changes_once(&spec).await;
    }
}

#[tokio::test]
async fn a_watched_folder_in_a_watched_folder_is_moved_away_and_back() {
    let mut scene = scene(&["spec.yaml", "branch/part.yaml"]);
    let part = scene.path("branch/part.yaml");
    fs::rename(scene.path("branch"), scene.path("away")).unwrap();
    fs::rename(scene.path("away"), scene.path("branch")).unwrap();
    scene.stays_quiet().await;
    fs::write(&part, "two").unwrap();
    scene.changes_once(&part).await;
}

#[tokio::test]
async fn a_replaced_ancestor_is_found_by_the_backstop() {
    let mut scene = scene_with(&["top/branch/spec.yaml"], WatchConfig::default(), None);
    let spec = scene.path("top/branch/spec.yaml");
    assert_eq!(scene.trigger.every, BACKSTOP);
    fs::rename(scene.path("top"), scene.path("old")).unwrap();
    fs::create_dir_all(scene.path("top/branch")).unwrap();
    fs::write(&spec, "two").unwrap();
    assert_eq!(scene.changed().await, std::slice::from_ref(&spec));
    scene.trigger.every = NEVER;
    scene.trigger.next_look = Instant::now() + NEVER;
    fs::write(&spec, "three").unwrap();
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_database_beside_the_spec_is_none_of_our_business() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    scene.now(&[scene.root().to_owned(), spec.clone()]);
    fs::write(scene.path("shop.db"), "").unwrap();
    assert_eq!(scene.changed().await, [scene.root()]);
    for number in 0..50 {
        fs::write(scene.path("shop.db-journal"), "journal").unwrap();
        fs::write(scene.path("shop.db"), number.to_string()).unwrap();
        fs::remove_file(scene.path("shop.db-journal")).unwrap();
        fs::write(scene.path(".spec.yaml.swp"), number.to_string()).unwrap();
    }
    scene.stays_quiet().await;
    fs::write(&spec, "two").unwrap();
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_neighbour_does_not_even_start_a_look() {
    let mut scene = scene(&["spec.yaml"]);
    scene.stays_quiet().await;
    let database = scene.path("shop.db");
    let writer = async {
        for number in 0..20 {
            fs::write(&database, number.to_string()).unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        cause = scene.trigger.changed() => panic!("reloaded for {cause:?}"),
        () = writer => {}
    }
    assert_eq!(scene.trigger.burst, None);
}

#[tokio::test]
async fn a_known_file_written_during_the_load() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    fs::write(&spec, "two").unwrap();
    timeout(GENEROUS, scene.trigger.changed()).await.unwrap();
    fs::write(&spec, "three").unwrap();
    scene.trigger.set_paths(&scene.paths);
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_new_file_written_during_the_load() {
    let mut scene = scene(&["spec.yaml", "part.yaml"]);
    let (spec, part) = (scene.path("spec.yaml"), scene.path("part.yaml"));
    scene.now(std::slice::from_ref(&spec));
    fs::write(&spec, "two").unwrap();
    timeout(GENEROUS, scene.trigger.changed()).await.unwrap();
    fs::write(&part, "two").unwrap();
    scene.paths = vec![spec, part.clone()];
    scene.trigger.set_paths(&scene.paths);
    scene.changes_once(&part).await;
}

#[tokio::test]
async fn a_file_written_during_the_first_load() {
    let keep = tempfile::tempdir().unwrap();
    let spec = keep.path().join("spec.yaml");
    let mut trigger = Trigger::new(WatchConfig::default());
    trigger.hangup = Hangup::none();
    fs::write(&spec, "two").unwrap();
    trigger.set_paths(std::slice::from_ref(&spec));
    let mut scene = Scene { keep, trigger, paths: vec![spec.clone()] };
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_dropped_call_loses_nothing() {
    let mut scene = scene(&["spec.yaml"]);
    let spec = scene.path("spec.yaml");
    fs::write(&spec, "two").unwrap();
    let started = Instant::now();
    let cause = loop {
        assert!(started.elapsed() < GENEROUS);
        if let Ok(cause) = timeout(Duration::from_millis(3), scene.trigger.changed()).await {
            break cause;
        }
    };
    assert_eq!(cause, Cause::Files(vec![spec]));
    scene.stays_quiet().await;
}

#[tokio::test]
async fn relative_paths() {
    let scene = scene(&["spec.yaml"]);
    let here = std::env::current_dir().unwrap();
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    let spec = scene.path("spec.yaml").canonicalize().unwrap();
    let relative = up.join(spec.strip_prefix("/").unwrap_or(&spec));
    let mut scene = Scene { paths: vec![relative.clone()], ..scene };
    scene.now(std::slice::from_ref(&relative));
    write_over(&spec, "two");
    scene.changes_once(&relative).await;
}

#[tokio::test]
async fn polling_needs_no_watcher() {
    let config = WatchConfig { poll: Some(Duration::from_millis(20)), ..WatchConfig::default() };
    let mut scene = scene_with(&["spec.yaml"], config, None);
    assert!(scene.trigger.watcher.is_none());
    let spec = scene.path("spec.yaml");
    for text in ["two", "three"] {
        fs::write(&spec, text).unwrap();
        scene.changes_once(&spec).await;
        write_over(&spec, &text.repeat(2));
        scene.changes_once(&spec).await;
    }
    fs::remove_dir_all(scene.root()).unwrap();
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn without_a_watcher_the_backstop_finds_it() {
    let mut scene = scene_with(&["spec.yaml"], WatchConfig::default(), None);
    scene.trigger.watcher = None;
    let spec = scene.path("spec.yaml");
    write_over(&spec, "two");
    scene.changes_once(&spec).await;
}

#[tokio::test]
async fn a_poll_interval_of_zero_does_not_spin() {
    let config = WatchConfig { poll: Some(Duration::ZERO), ..WatchConfig::default() };
    assert_eq!(Trigger::new(config).every, SHORTEST_POLL);
}

#[tokio::test]
async fn without_watching_only_the_bell_reloads() {
    let config = WatchConfig { watch: false, poll: Some(SHORTEST_POLL), ..WatchConfig::default() };
    let mut scene = scene_with(&["spec.yaml"], config, None);
    fs::write(scene.path("spec.yaml"), "two").unwrap();
    scene.stays_quiet().await;
    scene.trigger.bell().ring();
    assert_eq!(timeout(GENEROUS, scene.trigger.changed()).await, Ok(Cause::Hangup));
}

#[tokio::test]
async fn the_bell_reloads_at_once_and_covers_what_changed_before() {
    let mut scene = scene(&["spec.yaml"]);
    let bell = scene.trigger.bell();
    fs::write(scene.path("spec.yaml"), "two").unwrap();
    bell.ring();
    bell.ring();
    assert_eq!(timeout(GENEROUS, scene.trigger.changed()).await, Ok(Cause::Hangup));
    scene.trigger.set_paths(&scene.paths);
    scene.stays_quiet().await;
}

/// In a process of its own, as every trigger of a process hears its signals.
#[cfg(unix)]
#[test]
fn sighup_reloads_at_once() {
    const CHILD: &str = "RELOAD_TEST_HEARS_SIGHUP";
    if std::env::var_os(CHILD).is_some() {
        return hears_sighup();
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "reload::tests::sighup_reloads_at_once"])
        .env(CHILD, "1")
        .stdout(std::process::Stdio::null())
        .status();
    assert!(status.unwrap().success());
}

#[cfg(unix)]
#[tokio::main(flavor = "current_thread")]
async fn hears_sighup() {
    use rustix::process::{Signal, getpid, kill_process};
    for watch in [true, false] {
        let mut trigger = Trigger::new(WatchConfig { watch, ..WatchConfig::default() });
        for _ in 0..3 {
            kill_process(getpid(), Signal::HUP).unwrap();
            assert_eq!(timeout(GENEROUS, trigger.changed()).await, Ok(Cause::Hangup));
        }
        assert!(timeout(QUIET, trigger.changed()).await.is_err());
    }
}

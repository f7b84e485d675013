//! What else makes it look: polling, the backstop, the bell and SIGHUP.

use super::*;

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
    let (_, module) = module_path!().split_once("::").unwrap();
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("{module}::sighup_reloads_at_once")])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && told.contains("1 passed"), "{told}");
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

//! Changes while a load runs.

use super::*;

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

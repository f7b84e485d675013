//! Folders that come, go and are swapped, and links.

use super::*;

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

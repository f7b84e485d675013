//! How editors and scripts change a file.

use super::*;

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
async fn included_and_named_files_in_other_folders() {
    let mut scene = scene(&["spec.yaml", "parts/more.yaml", "sql/find.sql", "prompts/row.hbs", ".env"]);
    for name in ["parts/more.yaml", "sql/find.sql", "prompts/row.hbs", ".env"] {
        let path = scene.path(name);
        fs::write(&path, "two").unwrap();
        scene.changes_once(&path).await;
    }
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

//! What the kubelet does: the files are links through `..data`, which is renamed over.

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

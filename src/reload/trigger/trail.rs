//! The way from a path to what is behind it, link by link, as the kernel goes it.

use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use super::fingerprint::changed_at;

/// Links followed before the way counts as a circle, as on Linux (`ELOOP`).
const MOST_LINKS: usize = 40;

/// Where a change of a directory entry can change what is behind a path.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Trail {
    /// The links on the way, and the last entry (or the first that is missing). Each entry's folder is an existing
    /// one, named without links.
    pub spots: Vec<PathBuf>,
    /// What is behind the path, named without links; none when the way breaks off.
    pub end: Option<PathBuf>,
}

impl Trail {
    /// Goes an absolute path.
    pub fn follow(path: &Path) -> Trail {
        let mut spots = Vec::new();
        let end = go(path, &mut spots);
        Trail { spots, end }
    }

    /// Whether one of the entries was made, written or renamed over at or after a time.
    pub fn touched_at_or_after(&self, since: SystemTime) -> bool {
        let touched = |spot: &PathBuf| fs::symlink_metadata(spot).is_ok_and(|meta| changed_at(&meta) >= Some(since));
        self.spots.iter().any(touched)
    }
}

fn go(path: &Path, spots: &mut Vec<PathBuf>) -> Option<PathBuf> {
    let mut at = PathBuf::new();
    let mut ahead = backwards(path);
    let mut links = 0;
    while let Some(part) = ahead.pop() {
        match Path::new(&part).components().next()? {
            Component::CurDir => continue,
            Component::ParentDir => {
                at.pop();
                continue;
            }
            Component::Prefix(_) | Component::RootDir => {
                at.push(&part);
                continue;
            }
            Component::Normal(_) => at.push(&part),
        }
        let step = step(&at);
        if ahead.is_empty() || !matches!(step, Step::Folder) {
            spots.push(at.clone());
        }
        match step {
            Step::Folder => {}
            Step::File if ahead.is_empty() => {}
            Step::Link(target) if links < MOST_LINKS => {
                links += 1;
                at.pop();
                ahead.extend(backwards(&target));
            }
            Step::File | Step::Link(_) | Step::Missing => return None,
        }
    }
    Some(at)
}

enum Step {
    Folder,
    File,
    Link(PathBuf),
    Missing,
}

fn step(at: &Path) -> Step {
    match fs::symlink_metadata(at) {
        Ok(meta) if meta.is_symlink() => fs::read_link(at).map_or(Step::Missing, Step::Link),
        Ok(meta) if meta.is_dir() => Step::Folder,
        Ok(_) => Step::File,
        Err(_) => Step::Missing,
    }
}

fn backwards(path: &Path) -> Vec<OsString> {
    path.components().rev().map(|component| component.as_os_str().to_owned()).collect()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use tempfile::TempDir;

    use super::*;

    fn folder() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap();
        (folder, path)
    }

    #[test]
    fn a_plain_file_is_one_spot() {
        let (_keep, root) = folder();
        fs::write(root.join("a"), "").unwrap();
        let trail = Trail::follow(&root.join("a"));
        assert_eq!(trail, Trail { spots: vec![root.join("a")], end: Some(root.join("a")) });
    }

    #[test]
    fn every_link_on_the_way_is_a_spot() {
        let (_keep, root) = folder();
        fs::create_dir(root.join("..one")).unwrap();
        fs::write(root.join("..one/spec"), "").unwrap();
        symlink("..one", root.join("..data")).unwrap();
        symlink("..data/spec", root.join("spec")).unwrap();
        symlink(root.join("spec"), root.join("given")).unwrap();
        let trail = Trail::follow(&root.join("given"));
        let spots = ["given", "spec", "..data", "..one/spec"].map(|name| root.join(name));
        assert_eq!(trail, Trail { spots: spots.to_vec(), end: Some(root.join("..one/spec")) });
    }

    #[test]
    fn dots_go_up_from_where_a_link_leads() {
        let (_keep, root) = folder();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/spec"), "").unwrap();
        symlink("a/b", root.join("link")).unwrap();
        let trail = Trail::follow(&root.join("link/../spec"));
        assert_eq!(trail.end, Some(root.join("a/spec")));
        assert_eq!(trail.spots, [root.join("link"), root.join("a/spec")]);
    }

    #[test]
    fn it_breaks_off_at_the_first_missing_entry() {
        let (_keep, root) = folder();
        let trail = Trail::follow(&root.join("no/such/spec"));
        assert_eq!(trail, Trail { spots: vec![root.join("no")], end: None });
    }

    #[test]
    fn it_breaks_off_at_a_file_on_the_way() {
        let (_keep, root) = folder();
        fs::write(root.join("file"), "").unwrap();
        let trail = Trail::follow(&root.join("file/spec"));
        assert_eq!(trail, Trail { spots: vec![root.join("file")], end: None });
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (_keep, root) = folder();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        let trail = Trail::follow(&root.join("a"));
        assert_eq!(trail.end, None);
        assert_eq!(trail.spots.len(), MOST_LINKS + 1);
    }

    #[test]
    fn a_link_to_itself_below_itself_ends() {
        let (_keep, root) = folder();
        symlink("a/a/a/a", root.join("a")).unwrap();
        assert_eq!(Trail::follow(&root.join("a")).end, None);
    }

    #[test]
    fn the_root_and_the_empty_path_have_no_spot() {
        assert_eq!(Trail::follow(Path::new("/")), Trail { spots: vec![], end: Some(PathBuf::from("/")) });
        assert_eq!(Trail::follow(Path::new("/../..")).end, Some(PathBuf::from("/")));
        assert_eq!(Trail::follow(Path::new("")).spots, Vec::<PathBuf>::new());
    }

    #[test]
    fn touched_means_the_entry_or_a_link_to_it() {
        let (_keep, root) = folder();
        let before = SystemTime::now() - Duration::from_secs(1);
        let after = SystemTime::now() + Duration::from_secs(60);
        fs::write(root.join("a"), "").unwrap();
        assert!(Trail::follow(&root.join("a")).touched_at_or_after(before));
        assert!(!Trail::follow(&root.join("a")).touched_at_or_after(after));
        assert!(!Trail::follow(&root.join("missing")).touched_at_or_after(before));
        symlink("/", root.join("link")).unwrap();
        assert!(Trail::follow(&root.join("link")).touched_at_or_after(before));
    }
}

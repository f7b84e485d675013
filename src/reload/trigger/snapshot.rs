//! The fingerprints of all paths that matter.

use std::collections::BTreeMap;
use std::path::{self, Path, PathBuf};
use std::time::SystemTime;

use super::fingerprint::Fingerprint;
use super::trail::Trail;

/// Paths as they were given, and what was behind them. Never changed: a look makes a new one.
#[derive(Debug, Default)]
pub(super) struct Snapshot(BTreeMap<PathBuf, Seen>);

#[derive(Debug, Clone)]
struct Seen {
    place: PathBuf,
    /// None: in doubt, to be reported as changed.
    print: Option<Fingerprint>,
}

impl Snapshot {
    /// The snapshot of these paths: known ones keep their fingerprint; new ones get one, unless they were touched
    /// at or after `since` and so may have been read by the loader before or after that.
    pub fn choose(&self, paths: &[PathBuf], since: SystemTime) -> Snapshot {
        let seen = |path: &PathBuf| self.0.get(path).cloned().unwrap_or_else(|| Seen::new(path, since));
        Snapshot(paths.iter().map(|path| (path.clone(), seen(path))).collect())
    }

    /// The fingerprints of now, and the paths whose content differs.
    pub fn retake(&self) -> (Snapshot, Vec<PathBuf>) {
        let mut changed = Vec::new();
        let mut now = BTreeMap::new();
        for (path, before) in &self.0 {
            let (after, same) = before.retake();
            if !same {
                changed.push(path.clone());
            }
            now.insert(path.clone(), after);
        }
        (Snapshot(now), changed)
    }

    /// The absolute paths.
    pub fn places(&self) -> Vec<PathBuf> {
        self.0.values().map(|seen| seen.place.clone()).collect()
    }
}

impl Seen {
    fn new(path: &Path, since: SystemTime) -> Seen {
        let place = path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let print = Fingerprint::take(&place);
        let in_doubt = Trail::follow(&place).touched_at_or_after(since);
        Seen { place, print: (!in_doubt).then_some(print) }
    }

    fn retake(&self) -> (Seen, bool) {
        let print = match &self.print {
            Some(print) => print.retake(&self.place),
            None => Fingerprint::take(&self.place),
        };
        let same = self.print.as_ref().is_some_and(|before| before.same_content(&print));
        (Seen { place: self.place.clone(), print: Some(print) }, same)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use super::*;

    fn scene() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let keep = tempfile::tempdir().unwrap();
        let (a, b) = (keep.path().join("a"), keep.path().join("b"));
        fs::write(&a, "one").unwrap();
        fs::write(&b, "one").unwrap();
        (keep, a, b)
    }

    /// Later than any file of the tests.
    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(60)
    }

    #[test]
    fn only_what_changed_is_named() {
        let (_keep, a, b) = scene();
        let before = Snapshot::default().choose(&[b.clone(), a.clone(), a.clone()], later());
        assert_eq!(before.retake().1, Vec::<PathBuf>::new());
        fs::write(&b, "two").unwrap();
        let (after, changed) = before.retake();
        assert_eq!(changed, [b]);
        assert_eq!(after.retake().1, Vec::<PathBuf>::new());
    }

    #[test]
    fn known_paths_keep_their_fingerprint_and_dropped_ones_are_forgotten() {
        let (_keep, a, b) = scene();
        let before = Snapshot::default().choose(std::slice::from_ref(&a), later());
        fs::write(&a, "two").unwrap();
        let both = before.choose(&[a.clone(), b.clone()], later());
        assert_eq!(both.retake().1, std::slice::from_ref(&a));
        let without = both.choose(&[b], later());
        assert_eq!(without.choose(&[a], later()).retake().1, Vec::<PathBuf>::new());
    }

    #[test]
    fn a_new_path_touched_since_the_load_is_in_doubt_once() {
        let (_keep, a, _) = scene();
        let since = SystemTime::now() - Duration::from_secs(60);
        let (after, changed) = Snapshot::default().choose(std::slice::from_ref(&a), since).retake();
        assert_eq!(changed, std::slice::from_ref(&a));
        assert_eq!(after.choose(&[a], since).retake().1, Vec::<PathBuf>::new());
    }

    #[test]
    fn relative_paths_get_their_place_and_keep_their_name() {
        let snapshot = Snapshot::default().choose(&[PathBuf::from("./no/such")], later());
        assert_eq!(snapshot.places(), [std::env::current_dir().unwrap().join("no/such")]);
        assert_eq!(snapshot.0.keys().collect::<Vec<_>>(), [Path::new("./no/such")]);
    }

    #[test]
    fn an_empty_path_is_absent() {
        let snapshot = Snapshot::default().choose(&[PathBuf::new()], later());
        assert_eq!(snapshot.retake().1, Vec::<PathBuf>::new());
    }
}

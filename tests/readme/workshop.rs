//! A copy of the examples to try things in.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::blocks::Edit;

/// A folder of its own for one page.
pub struct Workshop {
    folder: TempDir,
    /// Where commands run.
    pub current: PathBuf,
    /// The last whole spec of the page.
    pub spec: PathBuf,
    /// What the templates of the page are about.
    pub data: serde_json::Value,
}

/// What parts of specs find around them.
const SURROUNDINGS: &str = "
server: { name: docs }
sources:
  shop: { sql: sqlite:./bookshop.db, init: ./bookshop.sql, readOnly: true }
  ledger: { sql: sqlite:./ledger.db, init: ./bookshop.sql }
  openlibrary: { http: https://openlibrary.org }
";

impl Workshop {
    /// A copy of `examples/` in which commands run in `folder`, which is made if it is not there.
    pub fn new(folder: &str) -> Workshop {
        let root = tempfile::tempdir().unwrap();
        copy(&super::root().join("examples"), &root.path().join("examples"));
        let shop = root.path().join("examples/bookshop");
        let parts = root.path().join("parts");
        copy(&shop, &parts);
        for spec in ["bookshop.yaml", "bookshop.toml"] {
            fs::remove_file(parts.join(spec)).unwrap();
        }
        fs::write(parts.join("a.yaml"), SURROUNDINGS).unwrap();
        fs::write(parts.join("token"), "not-a-real-token\n").unwrap();
        let (current, spec) = (root.path().join(folder), shop.join("bookshop.yaml"));
        fs::create_dir_all(&current).unwrap();
        Workshop { folder: root, current, spec, data: serde_json::Value::Null }
    }

    /// The top of the copy.
    pub fn top(&self) -> &Path {
        self.folder.path()
    }

    /// Where whole specs are written: beside the bookshop's, whose files they name.
    pub fn shop(&self) -> PathBuf {
        self.top().join("examples/bookshop")
    }

    /// A folder in which a part becomes a whole spec.
    pub fn parts(&self) -> PathBuf {
        self.top().join("parts")
    }

    /// Makes an edit; gives the one that undoes it.
    pub fn apply(&self, edit: &Edit) -> Edit {
        let path = self.current.join(&edit.file);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(&edit.old).count(), 1, "{:?} in {}", edit.old, edit.file);
        fs::write(path, text.replace(&edit.old, &edit.new)).unwrap();
        Edit { file: edit.file.clone(), old: edit.new.clone(), new: edit.old.clone() }
    }
}

/// Copies a folder, databases apart: those are built anew.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() {
            copy(&path, &to.join(name));
        } else if !name.to_string_lossy().contains(".db") {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

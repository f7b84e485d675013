use super::*;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

const PLENTY: usize = 1 << 20;

/// A folder `root` with files in it, beside a file that must stay out of reach.
fn disk() -> (tempfile::TempDir, Root) {
    let disk = tempfile::tempdir().unwrap();
    let at = |path: &str| disk.path().join(path);
    fs::create_dir_all(at("root/sub/deep")).unwrap();
    fs::write(at("secret"), "secret").unwrap();
    fs::write(at("root/a.md"), "# a").unwrap();
    fs::write(at("root/sub/b"), "b").unwrap();
    fs::write(at("root/100%2e.txt"), "percent").unwrap();
    let root = Root::open(&at("root")).unwrap();
    (disk, root)
}

fn text(root: &Root, path: &str) -> Result<String, FileFault> {
    root.read(path, PLENTY).map(|content| String::from_utf8(content.bytes).unwrap())
}

#[test]
fn reads_what_is_below() {
    let (_disk, root) = disk();
    let content = root.read("a.md", PLENTY).unwrap();
    let expected = FileContent { bytes: b"# a".to_vec(), truncated: false, mime_type: "text/markdown".to_owned() };
    assert_eq!(content, expected);
    for path in ["sub/b", "./sub/b", "sub//b", "sub/../sub/b", "sub/deep/../b"] {
        assert_eq!(text(&root, path).as_deref(), Ok("b"), "{path}");
    }
}

#[test]
fn paths_that_lead_out_are_refused() {
    let (disk, root) = disk();
    let absolute = disk.path().join("root/a.md").display().to_string();
    for path in [
        "..",
        "../secret",
        "../root/a.md",
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "/",
        "a/../../b",
        "sub/../../secret",
        "nothing/../../secret",
        "./../secret",
        &absolute,
    ] {
        let fault = text(&root, path).unwrap_err();
        assert_eq!(fault, FileFault::Outside(path.to_owned()));
        assert_eq!(fault.to_string(), format!("`{path}` leads outside of the folder"));
    }
}

#[test]
fn links_are_followed_only_inside() {
    let (disk, root) = disk();
    let link = |target: &str, name: &str| symlink(target, disk.path().join("root").join(name)).unwrap();
    link("sub/b", "inside");
    link("../a.md", "sub/up");
    link("sub", "folder");
    link("../secret", "out");
    link("/etc", "etc");
    link("..", "parent");
    link("out", "chain");
    link("circle", "circle");
    link("gone", "dangling");
    link(disk.path().join("root/a.md").to_str().unwrap(), "absolute");
    link("/proc/self/root/etc/passwd", "magic");

    assert_eq!(text(&root, "inside").as_deref(), Ok("b"));
    assert_eq!(text(&root, "sub/up").as_deref(), Ok("# a"));
    assert_eq!(text(&root, "folder/b").as_deref(), Ok("b"));
    for path in ["out", "etc/passwd", "parent/secret", "parent/root/a.md", "chain", "absolute", "magic"] {
        assert_eq!(text(&root, path), Err(FileFault::Outside(path.to_owned())));
    }
    assert_eq!(text(&root, "dangling"), Err(FileFault::NotFound("dangling".to_owned())));
    assert!(matches!(text(&root, "circle"), Err(FileFault::Other(..))));
}

#[test]
fn a_folder_link_that_turns_round_during_reads_leads_nowhere() {
    let (disk, root) = disk();
    let base = disk.path().join("root");
    fs::write(base.join("sub/secret"), "inside").unwrap();
    let turner = std::thread::spawn({
        let base = base.clone();
        move || {
            for turn in 0..2_000 {
                let target = if turn % 2 == 0 { "sub" } else { ".." };
                symlink(target, base.join("new")).unwrap();
                fs::rename(base.join("new"), base.join("door")).unwrap();
            }
        }
    });
    while !turner.is_finished() {
        if let Ok(found) = text(&root, "door/secret") {
            assert_eq!(found, "inside");
        }
    }
    turner.join().unwrap();
}

#[test]
fn the_folder_stays_the_one_that_was_opened() {
    let (disk, root) = disk();
    fs::rename(disk.path().join("root"), disk.path().join("moved")).unwrap();
    fs::create_dir(disk.path().join("root")).unwrap();
    fs::write(disk.path().join("root/a.md"), "another").unwrap();
    assert_eq!(text(&root, "a.md").as_deref(), Ok("# a"));
}

#[test]
fn only_regular_files_are_read_and_nothing_waits() {
    let (disk, root) = disk();
    let base = disk.path().join("root");
    let fifo = base.join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let _socket = UnixListener::bind(base.join("socket")).unwrap();
    let begun = Instant::now();
    for path in ["fifo", "socket", "sub", "sub/", ".", "sub/.", "sub/.."] {
        let fault = text(&root, path).unwrap_err();
        assert_eq!(fault, FileFault::NotAFile(path.to_owned()));
        assert_eq!(fault.to_string(), format!("`{path}` is not a regular file"));
    }
    assert!(begun.elapsed() < Duration::from_secs(60));
}

#[test]
fn devices_are_not_read() {
    let root = Root::open(Path::new("/dev")).unwrap();
    assert_eq!(text(&root, "zero"), Err(FileFault::NotAFile("zero".to_owned())));
}

#[test]
fn hostile_names() {
    let (_disk, root) = disk();
    assert_eq!(text(&root, "").unwrap_err().to_string(), "a file's path is expected, and it is empty");
    let nul = text(&root, "a.md\0.png").unwrap_err();
    assert_eq!(nul.to_string(), "`a.md\u{fffd}.png` can't be opened: a path can't have a NUL byte in it");
    assert_eq!(text(&root, "x\n\u{1b}[2J").unwrap_err().to_string(), "there is no file `x\u{fffd}\u{fffd}[2J`");

    let long = "x".repeat(10 << 20);
    let fault = text(&root, &long).unwrap_err();
    assert!(matches!(fault, FileFault::NotFound(_)));
    assert!(fault.to_string().len() < 300);
    assert!(matches!(text(&root, &"x".repeat(300)), Err(FileFault::NotFound(_))));
    assert!(matches!(text(&root, &"../".repeat(1 << 20)), Err(FileFault::NotFound(_))));
    assert_eq!(text(&root, "a.md/"), Err(FileFault::NotFound("a.md/".to_owned())));
    assert_eq!(text(&root, "a.md/../a.md"), Err(FileFault::NotFound("a.md/../a.md".to_owned())));
}

#[test]
fn percent_backslash_and_tilde_are_literal() {
    let (_disk, root) = disk();
    assert_eq!(text(&root, "100%2e.txt").as_deref(), Ok("percent"));
    for path in ["%2e%2e/secret", "..%2fsecret", "..\\secret", "~/secret", "$HOME", "*", "a.*", "file:///etc/passwd"] {
        assert_eq!(text(&root, path), Err(FileFault::NotFound(path.to_owned())));
    }
}

#[test]
fn reads_no_more_than_asked_for() {
    let (disk, root) = disk();
    fs::write(disk.path().join("root/long"), vec![b'x'; 100_000]).unwrap();
    for (max, length, truncated) in
        [(0, 0, true), (1, 1, true), (99_999, 99_999, true), (100_000, 100_000, false), (usize::MAX, 100_000, false)]
    {
        let content = root.read("long", max).unwrap();
        assert_eq!((content.bytes.len(), content.truncated), (length, truncated), "{max}");
        assert!(content.bytes.capacity() <= 200_100);
    }
}

#[test]
fn a_sparse_giant_costs_no_memory() {
    let (disk, root) = disk();
    fs::File::create(disk.path().join("root/giant")).unwrap().set_len(1 << 40).unwrap();
    let content = root.read("giant", 1000).unwrap();
    assert!(content.truncated && content.bytes.capacity() < 5000);
}

#[test]
fn forbidden_files_say_so() {
    let (disk, root) = disk();
    fs::set_permissions(disk.path().join("root/a.md"), fs::Permissions::from_mode(0o000)).unwrap();
    // Nothing is forbidden to root.
    if !rustix::process::geteuid().is_root() {
        assert_eq!(text(&root, "a.md").unwrap_err().to_string(), "`a.md` is denied by the system's permissions");
    }
    let denied = FileFault::of("a.md", &Errno::ACCESS.into());
    assert_eq!(denied.to_string(), "`a.md` is denied by the system's permissions");
}

#[test]
fn roots_that_cannot_be_opened() {
    let (disk, _root) = disk();
    let message = |name: &str| Root::open(&disk.path().join(name)).unwrap_err();
    assert!(message("nothing").ends_with("/nothing` does not exist"));
    assert!(message("secret").ends_with("/secret` is not a folder"));
    assert!(Root::open(Path::new("")).is_ok());
}

#[tokio::test]
async fn reads_on_another_thread() {
    let (_disk, root) = disk();
    let read = root.blocking("sub/b", |root| root.read("sub/b", PLENTY)).await;
    assert_eq!(read.unwrap().bytes, b"b");
}

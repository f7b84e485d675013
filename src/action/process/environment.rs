//! What a program sees of our own environment.

use std::env;
use std::ffi::{OsStr, OsString};
use std::sync::OnceLock;

/// Where programs are looked for when `PATH` is not set.
const USUAL_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Who and where the user is, and how words, times and temporary files go. Nothing that could hold a credential.
const SAFE: [&str; 8] = ["PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR"];

/// The variables of our own environment that every program gets: `PATH` (`/usr/local/bin:/usr/bin:/bin` when it is not
/// set), `HOME`, `USER`, `LOGNAME`, `LANG`, `LANGUAGE`, `LC_*`, `TZ` and `TMPDIR`. Read once, at the first call.
pub fn safe_env() -> &'static [(OsString, OsString)] {
    static SAFE_ENV: OnceLock<Vec<(OsString, OsString)>> = OnceLock::new();
    SAFE_ENV.get_or_init(|| pick(env::vars_os()))
}

/// The folders to look for programs in, as the programs themselves get them.
pub(super) fn path() -> &'static OsStr {
    safe_env().iter().find(|(name, _)| name == "PATH").map_or(OsStr::new(USUAL_PATH), |(_, value)| value)
}

fn pick(all: impl Iterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let mut picked: Vec<_> = all.filter(|(name, _)| is_safe(name)).collect();
    if !picked.iter().any(|(name, _)| name == "PATH") {
        picked.push(("PATH".into(), USUAL_PATH.into()));
    }
    picked
}

fn is_safe(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| SAFE.contains(&name) || is_locale(name))
}

/// `LC_ALL`, `LC_CTYPE` and so on.
fn is_locale(name: &str) -> bool {
    name.strip_prefix("LC_").is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(names: &[&str]) -> Vec<String> {
        let all = names.iter().map(|name| (OsString::from(name), OsString::from("x")));
        pick(all).into_iter().map(|(name, _)| name.into_string().unwrap()).collect()
    }

    #[test]
    fn only_the_safe_ones_pass() {
        let safe = ["PATH", "HOME", "LANG", "LC_ALL", "LC_TIME", "TZ", "TMPDIR", "USER"];
        assert_eq!(picked(&safe), safe);
        let others = [
            "PATH",
            "LD_PRELOAD",
            "BASH_ENV",
            "ENV",
            "IFS",
            "AWS_SECRET_ACCESS_KEY",
            "GITHUB_TOKEN",
            "SSH_AUTH_SOCK",
            "LC_x",
            "LC_A=",
            "path",
            "PYTHONPATH",
            "BASH_FUNC_ls%%",
            "",
        ];
        assert_eq!(picked(&others), ["PATH"]);
    }

    #[test]
    fn there_is_always_a_path() {
        assert_eq!(pick(std::iter::empty()), [("PATH".into(), USUAL_PATH.into())]);
        assert!(!path().is_empty());
    }
}

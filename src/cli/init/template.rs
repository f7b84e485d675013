//! Specs to begin with that work at once, for whoever has nothing to make one from.

use std::path::{Path, PathBuf};

use super::{Beside, Made};
use crate::cli::program;

/// What the tools of a new spec are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// Statements on a database.
    Sql,
    /// Requests to a REST API.
    Http,
    /// Programs of this machine.
    Exec,
    /// The tools of another MCP server.
    Gateway,
}

impl Template {
    /// The spec, for a server of this name in this file.
    ///
    /// # Errors
    /// Words, if there is nowhere to put what stands beside it.
    pub fn fill(self, name: &str, file: &Path) -> Result<Made, String> {
        let (text, tools) = match self {
            Template::Sql => (include_str!("template/sql.yaml"), 1),
            Template::Http => (include_str!("template/http.yaml"), 1),
            Template::Exec => (include_str!("template/exec.yaml"), 2),
            Template::Gateway => (include_str!("template/gateway.yaml"), 3),
        };
        let mut text = text.to_owned();
        let beside = match self {
            Template::Gateway => {
                let (file, upstream) = upstream(name, file)?;
                let argument = format!("./{}", file.file_name().unwrap_or_default().to_string_lossy());
                text = text.replace("{{program}}", &super::yaml::name(&program::word()?));
                text = text.replace("{{upstream}}", &super::yaml::name(&argument));
                Some(Beside { file, text: upstream })
            }
            _ => None,
        };
        let file = if file == Path::new("-") { Path::new("mcp-declare.yaml") } else { file };
        let text = text.replace("{{file}}", &shown(file)).replace("{{name}}", &super::yaml::name(name));
        Ok(Made { text, tools, beside, left: Vec::new(), hint: None })
    }
}

/// The server that a gateway stands in front of, in a file of its own beside the gateway's.
fn upstream(name: &str, file: &Path) -> Result<(PathBuf, String), String> {
    if file == Path::new("-") {
        return Err("the gateway is two files, so it can't be printed: name the first, such as gateway.yaml".to_owned());
    }
    let mut other = file.file_stem().unwrap_or_default().to_owned();
    other.push("-upstream.yaml");
    let named = super::yaml::name(&format!("{name} upstream"));
    let text = include_str!("template/upstream.yaml").replace("{{file}}", &shown(file)).replace("{{name}}", &named);
    Ok((file.with_file_name(other), text))
}

/// A file's name in a comment: it can be anything but several lines.
fn shown(file: &Path) -> String {
    file.display().to_string().replace(char::is_control, "?")
}

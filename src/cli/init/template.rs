//! Specs to begin with that work at once, for whoever has nothing to make one from.

use std::path::Path;

use super::Made;

/// What the tools of a new spec are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Template {
    /// Statements on a database.
    Sql,
    /// Requests to a REST API.
    Http,
    /// Programs of this machine.
    Exec,
}

impl Template {
    /// The spec, for a server of this name in this file.
    pub fn fill(self, name: &str, file: &Path) -> Made {
        let (text, tools) = match self {
            Template::Sql => (include_str!("template/sql.yaml"), 1),
            Template::Http => (include_str!("template/http.yaml"), 1),
            Template::Exec => (include_str!("template/exec.yaml"), 2),
        };
        let file = if file == Path::new("-") { Path::new("mcp-declare.yaml") } else { file };
        // In a comment a file's name can be anything but several lines.
        let shown = file.display().to_string().replace(char::is_control, "?");
        let text = text.replace("{{file}}", &shown).replace("{{name}}", &super::yaml::name(name));
        let hint =
            format!("next: mcp-declare serve {0}, or mcp-declare install {0} --client claude-desktop", file.display());
        Made { text, tools, left: Vec::new(), hint: Some(hint) }
    }
}

//! Where each client keeps its configuration, and what an entry looks like there.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// A client whose configuration is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// Anthropic's desktop app.
    ClaudeDesktop,
    /// Anthropic's command line.
    ClaudeCode,
    /// Cursor.
    Cursor,
    /// Visual Studio Code.
    #[value(name = "vscode")]
    VsCode,
    /// Windsurf.
    Windsurf,
    /// Zed.
    Zed,
}

/// The folders of the user that configurations lie in.
#[derive(Debug)]
pub struct Home {
    /// The user's own.
    home: PathBuf,
    /// Where applications have theirs: `~/Library/Application Support` on macOS, else `$XDG_CONFIG_HOME`.
    applications: PathBuf,
    /// `$XDG_CONFIG_HOME`, or `~/.config`, on macOS too.
    config: PathBuf,
}

impl Home {
    /// That of the user who runs this.
    ///
    /// # Errors
    /// Words, if `HOME` is not set.
    pub fn of_process() -> Result<Home, String> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let home = variable("HOME").ok_or("the environment variable `HOME` names no folder")?;
        let config = variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config"));
        let mac = cfg!(target_os = "macos");
        let applications = if mac { home.join("Library/Application Support") } else { config.clone() };
        Ok(Home { home, applications, config })
    }
}

impl Client {
    /// Its name among people.
    pub fn title(self) -> &'static str {
        match self {
            Client::ClaudeDesktop => "Claude Desktop",
            Client::ClaudeCode => "Claude Code",
            Client::Cursor => "Cursor",
            Client::VsCode => "VS Code",
            Client::Windsurf => "Windsurf",
            Client::Zed => "Zed",
        }
    }

    /// The user's configuration file.
    pub fn file(self, home: &Home) -> PathBuf {
        match self {
            Client::ClaudeDesktop => home.applications.join("Claude/claude_desktop_config.json"),
            Client::ClaudeCode => home.home.join(".claude.json"),
            Client::Cursor => home.home.join(".cursor/mcp.json"),
            Client::VsCode => home.applications.join("Code/User/mcp.json"),
            Client::Windsurf => home.home.join(".codeium/windsurf/mcp_config.json"),
            Client::Zed => home.config.join("zed/settings.json"),
        }
    }

    /// Its file in a project, and what stands for the project's folder there; `None` if it has no such file.
    /// Claude Code and Zed start servers in that folder.
    pub fn project(self) -> Option<(&'static str, &'static str)> {
        match self {
            Client::ClaudeCode => Some((".mcp.json", ".")),
            Client::Cursor => Some((".cursor/mcp.json", "${workspaceFolder}")),
            Client::VsCode => Some((".vscode/mcp.json", "${workspaceFolder}")),
            Client::Zed => Some((".zed/settings.json", ".")),
            Client::ClaudeDesktop | Client::Windsurf => None,
        }
    }

    /// The key of that file under which servers are.
    pub fn section(self) -> &'static str {
        match self {
            Client::VsCode => "servers",
            Client::Zed => "context_servers",
            _ => "mcpServers",
        }
    }

    /// The entry of a server that the client starts.
    pub fn local(self, command: &str, args: &[String]) -> Map<String, Value> {
        let started = [("command", json!(command)), ("args", json!(args))];
        match self {
            Client::ClaudeCode | Client::Cursor | Client::VsCode => entry([("type", json!("stdio"))], started),
            // Older versions want to be told that no extension brings it; newer ones don't mind.
            Client::Zed => entry([("source", json!("custom"))], started),
            Client::ClaudeDesktop | Client::Windsurf => entry([], started),
        }
    }

    /// The entry of a server that runs already.
    ///
    /// # Errors
    /// Words, if the client's configuration has no such entries.
    pub fn remote(self, url: &str) -> Result<Map<String, Value>, String> {
        let url = json!(url);
        match self {
            Client::ClaudeCode | Client::VsCode => Ok(entry([("type", json!("http"))], [("url", url)])),
            Client::Cursor | Client::Zed => Ok(entry([], [("url", url)])),
            Client::Windsurf => Ok(entry([], [("serverUrl", url)])),
            Client::ClaudeDesktop => Err(
                "the configuration file of Claude Desktop takes only servers that it starts; leave out --http, or add \
                 the URL in its settings, under Connectors"
                    .to_owned(),
            ),
        }
    }
}

fn entry<const A: usize, const B: usize>(first: [(&str, Value); A], then: [(&str, Value); B]) -> Map<String, Value> {
    first.into_iter().chain(then).map(|(key, value)| (key.to_owned(), value)).collect()
}

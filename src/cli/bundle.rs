//! `bundle`: a spec and this program as one file that clients install (MCPB, manifest version 0.3).

mod contents;
mod manifest;
mod trial;

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::spec::{self, EnvironmentArguments};
use super::{Exit, complain, note, program, replace};
use crate::action::source::Mode;
use crate::catalog::Catalog;
use crate::spec::load::Input;
use contents::Contents;

/// Arguments of `bundle`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mcp-declare bundle bookshop.yaml\n  \
                  mcp-declare bundle bookshop.yaml --include manuscripts --author 'The bookshop' -o shop.mcpb")]
pub struct Arguments {
    /// A .yaml, .yml, .toml or .json file, or a folder of such files that are one spec.
    spec: PathBuf,
    /// The bundle to write; by default the server's name with .mcpb, in the current folder.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// A file or folder below the spec's folder that tools need and the spec does not read itself. May be repeated.
    #[arg(long, value_name = "PATH")]
    include: Vec<PathBuf>,
    /// Who made it; by default the server's title or name.
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    /// A build of this program for where the bundle is installed; by default this one.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// The system that the binary is for.
    #[arg(long, value_enum, requires = "binary")]
    platform: Option<Platform>,
    #[command(flatten)]
    environment: EnvironmentArguments,
    /// Take a spec with commands although others may write it.
    #[arg(long)]
    trust_permissions: bool,
}

/// The systems of MCPB's manifest that this program runs on.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Platform {
    Linux,
    #[value(name = "macos")]
    MacOs,
}

impl Platform {
    fn own() -> Platform {
        if cfg!(target_os = "macos") { Platform::MacOs } else { Platform::Linux }
    }

    /// MCPB's word for it.
    fn word(self) -> &'static str {
        match self {
            Platform::Linux => "linux",
            Platform::MacOs => "darwin",
        }
    }
}

/// Where things are in the bundle.
const PROGRAM: &str = "server/mcp-declare";
const SPEC: &str = "spec";

/// Writes the bundle.
pub async fn run(arguments: Arguments) -> Exit {
    let environment = match arguments.environment.read() {
        Ok(environment) => environment,
        Err(words) => return refused(Exit::Usage, &words),
    };
    let input = Input::Path(arguments.spec.clone());
    let loaded = Catalog::load(&input, &environment, Mode::Offline, arguments.trust_permissions.into(), None).await;
    note(&spec::diagnostics(&loaded));
    let Some(catalog) = &loaded.catalog else { return spec::exit(&loaded) };
    let output = arguments.output.clone().unwrap_or_else(|| {
        let plain = |c: char| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '-' };
        PathBuf::from(format!("{}.mcpb", catalog.server.name.chars().map(plain).collect::<String>()))
    });
    let not = [Some(&output), arguments.environment.env_file.as_ref()].into_iter().flatten();
    let contents = match Contents::of(&arguments.spec, &loaded, &arguments.include, not) {
        Ok(contents) => contents,
        Err(words) => return refused(Exit::AtFault, &words),
    };
    if let Err(words) = trial::run(&contents, &environment).await {
        return refused(Exit::AtFault, &words);
    }
    match write(&arguments, catalog, &contents, &output) {
        Ok(()) => {
            note(&told(&output, &contents));
            Exit::Done
        }
        Err(words) => refused(Exit::AtFault, &words),
    }
}

fn refused(exit: Exit, words: &str) -> Exit {
    complain(words);
    exit
}

fn told(output: &Path, contents: &Contents) -> String {
    let mut text = format!("wrote {} ({})\n", output.display(), spec::plural(contents.files.len() + 2, "file"));
    if contents.left_out > 0 {
        let files = spec::plural(contents.left_out, "file");
        text.push_str(&format!("left out of folders: {files} that are hidden, links, or hold secrets\n"));
    }
    if !contents.variables.is_empty() {
        let names: Vec<&str> = contents.variables.iter().map(|variable| variable.name.as_str()).collect();
        text.push_str(&format!("whoever installs it is asked for {}\n", crate::spec::read::list_names(&names)));
    }
    text
}

fn write(arguments: &Arguments, catalog: &Catalog, contents: &Contents, output: &Path) -> Result<(), String> {
    let platform = arguments.platform.unwrap_or_else(Platform::own).word();
    let manifest = manifest::of(catalog, contents, arguments.author.as_deref(), platform);
    let own = program::path()?;
    let program = arguments.binary.as_deref().unwrap_or(&own);
    let mut aside = output.as_os_str().to_owned();
    aside.push(format!(".{}.new", std::process::id()));
    let aside = PathBuf::from(aside);
    let cant_write = |error: &io::Error| format!("can't write {}: {}", output.display(), replace::reason(error));
    let file = File::create_new(&aside).map_err(|error| cant_write(&error))?;
    let packed = pack(file, &format!("{manifest:#}\n"), program, contents)
        .and_then(|()| fs::rename(&aside, output).map_err(|error| cant_write(&error)));
    packed.inspect_err(|_| drop(fs::remove_file(&aside)))
}

/// Packs everything, always in the same order and with no times, so that the same spec gives the same file.
fn pack(file: impl Write + Seek, manifest: &str, program: &Path, contents: &Contents) -> Result<(), String> {
    let mut zip = ZipWriter::new(file);
    let broken = |error: zip::result::ZipError| format!("the bundle can't be written: {error}");
    let plain = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated).unix_permissions(0o644);
    let plain = plain.last_modified_time(DateTime::default());
    zip.start_file("manifest.json", plain).map_err(broken)?;
    zip.write_all(manifest.as_bytes()).map_err(|error| broken(error.into()))?;
    for folder in &contents.empty {
        zip.add_directory(format!("{SPEC}/{folder}"), plain.unix_permissions(0o755)).map_err(broken)?;
    }
    let files = contents.files.iter().map(|(name, path)| (format!("{SPEC}/{name}"), path.as_path()));
    for (name, path) in std::iter::once((PROGRAM.to_owned(), program)).chain(files) {
        let cant_read = |error: &io::Error| format!("can't read {}: {error}", path.display());
        let mut file = File::open(path).map_err(|error| cant_read(&error))?;
        let metadata = file.metadata().map_err(|error| cant_read(&error))?;
        let runs = name == PROGRAM || contents::is_executable(&metadata);
        let options = plain.unix_permissions(if runs { 0o755 } else { 0o644 }).large_file(metadata.len() > 1 << 31);
        zip.start_file(name, options).map_err(broken)?;
        io::copy(&mut file, &mut zip).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    zip.finish().map(drop).map_err(broken)
}

//! Arguments, the library, an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    mcp_declare::cli::main()
}

//! Arguments, the library, an exit code.

fn main() {}

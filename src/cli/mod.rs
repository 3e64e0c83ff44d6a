//! The command line: arguments in, exit code out. The only place for clap.

//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    nixos_bootstrap::cli::main()
}

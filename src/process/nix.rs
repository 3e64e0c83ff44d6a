//! The `nix` program: its command lines as data, its progress log, its error messages.

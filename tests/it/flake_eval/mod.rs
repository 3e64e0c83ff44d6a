//! `nixos-bootstrap eval FLAKE` against the real `nix eval`: flakes of many shapes, made in temporary folders,
//! print the same and fail with the same words.

mod bad;
mod inputs;
mod references;
mod shapes;
mod world;

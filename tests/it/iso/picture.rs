//! Images for these tests: a volume with noise in it, and what can be wrong with one.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub(crate) const MIB: usize = 1 << 20;

/// An ISO 9660 volume with a boot sector, of `length` bytes; its content is different for each `seed`.
pub(crate) fn iso(length: usize, seed: u64) -> Vec<u8> {
    let mut image = noise(length, seed);
    image[446..510].fill(0);
    image[510..512].copy_from_slice(&[0x55, 0xaa]);
    let volume = &mut image[32768..34816];
    volume.fill(0);
    volume[..7].copy_from_slice(b"\x01CD001\x01");
    volume[40..72].copy_from_slice(format!("{:32}", "NIXOS_TEST").as_bytes());
    let blocks = u32::try_from(length / 2048).unwrap();
    volume[80..84].copy_from_slice(&blocks.to_le_bytes());
    volume[84..88].copy_from_slice(&blocks.to_be_bytes());
    volume[128..130].copy_from_slice(&2048_u16.to_le_bytes());
    volume[130..132].copy_from_slice(&2048_u16.to_be_bytes());
    image
}

/// Bytes without a pattern, by Marsaglia's xorshift.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// `bytes` as a file in `folder`.
pub(crate) fn file(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(bytes))
}

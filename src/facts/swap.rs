//! `config.swapDevices` and `config.zramSwap`. Swap that disko makes is found with the disks.

use super::decode::{Decoded, Decoder};
use super::model::{Swap, SwapDevice, Zram};

/// Reads both from `config`.
pub(super) fn swap(config: &Decoder<'_>) -> Decoded<Swap> {
    let devices = match config.get("swapDevices")? {
        Some(devices) => devices.items()?.iter().map(device).collect::<Decoded<_>>()?,
        None => Vec::new(),
    };
    Ok(Swap { devices, zram: zram(config)? })
}

fn device(device: &Decoder<'_>) -> Decoded<SwapDevice> {
    Ok(SwapDevice {
        device: device.require("device", "a path")?.text()?,
        size_mib: device.read_at(&["size"], Decoder::count)?,
    })
}

fn zram(config: &Decoder<'_>) -> Decoded<Option<Zram>> {
    if config.read_at(&["zramSwap", "enable"], Decoder::bool)? != Some(true) {
        return Ok(None);
    }
    Ok(Some(Zram {
        memory_percent: config.read_at(&["zramSwap", "memoryPercent"], Decoder::count)?,
        algorithm: config.read_at(&["zramSwap", "algorithm"], Decoder::text)?,
    }))
}

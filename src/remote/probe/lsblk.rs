//! What `lsblk --json` prints, as data. Versions differ: old ones write every value as text and know one mount
//! point only; any value may be missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::remote::display::printable;
use crate::remote::model::{LiveDisk, LiveNode};
use crate::validated::DevicePath;

/// Unit of `start` in sysfs, whatever the disk's own sectors are
/// (Documentation/ABI/stable/sysfs-block).
const SECTOR: u64 = 512;

/// The devices at the root of the answer.
pub(crate) fn parse(answer: &str) -> Result<Vec<Device>, serde_json::Error> {
    Ok(serde_json::from_str::<Answer>(answer)?.blockdevices)
}

#[derive(Deserialize)]
struct Answer {
    blockdevices: Vec<Device>,
}

/// One device as lsblk has it.
#[derive(Deserialize)]
pub(crate) struct Device {
    #[serde(deserialize_with = "text")]
    pub(crate) name: String,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) kname: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) path: Option<String>,
    #[serde(default, rename = "type", deserialize_with = "text")]
    pub(crate) kind: String,
    #[serde(default, deserialize_with = "number")]
    pub(crate) size: u64,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) fstype: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) label: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) partlabel: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) partuuid: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) pttype: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) model: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) serial: Option<String>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) tran: Option<String>,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) rm: bool,
    #[serde(default, deserialize_with = "flag")]
    pub(crate) ro: bool,
    /// The disk of a partition that was asked for by itself.
    #[serde(default, deserialize_with = "optional")]
    pub(crate) pkname: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) mountpoints: Vec<Option<String>>,
    #[serde(default, deserialize_with = "optional")]
    pub(crate) mountpoint: Option<String>,
    #[serde(default, deserialize_with = "list")]
    pub(crate) children: Vec<Device>,
}

impl Device {
    pub(crate) fn kernel_name(&self) -> &str {
        self.kname.as_deref().unwrap_or(&self.name)
    }

    /// Where it is mounted; `[SWAP]` for active swap.
    pub(crate) fn mounts(&self) -> impl Iterator<Item = &str> {
        let many = self.mountpoints.iter().flatten().map(String::as_str);
        many.chain(self.mountpoint.as_deref())
    }

    /// The device and everything on it.
    pub(crate) fn all(&self) -> Vec<&Device> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(Device::all));
        all
    }

    /// Its path, where that is one of a block device.
    pub(crate) fn path(&self) -> Option<String> {
        let given = self.path.clone().filter(|path| path.parse::<DevicePath>().is_ok());
        let kernel = || format!("/dev/{}", self.kernel_name());
        let path = given.unwrap_or_else(kernel);
        path.parse::<DevicePath>().is_ok().then_some(path)
    }

    /// The whole disk with what is on it. `starts` are first sectors of partitions by kernel name.
    pub(crate) fn disk(
        &self,
        starts: &BTreeMap<&str, u64>,
        links: Vec<String>,
        boot_medium: bool,
    ) -> Option<LiveDisk> {
        let node = self.node(starts);
        Some(LiveDisk {
            name: node.name,
            path: self.path()?,
            links,
            size: self.size,
            model: self.model.clone(),
            serial: self.serial.clone(),
            transport: self.tran.clone(),
            removable: self.rm,
            read_only: self.ro,
            boot_medium,
            table: self.pttype.clone(),
            fs_type: self.fstype.clone(),
            mountpoints: node.mountpoints,
            children: node.children,
        })
    }

    fn node(&self, starts: &BTreeMap<&str, u64>) -> LiveNode {
        LiveNode {
            name: self.name.clone(),
            path: self.path().unwrap_or_else(|| format!("/dev/{}", self.kernel_name())),
            kind: self.kind.clone(),
            size: self.size,
            start: starts.get(self.kernel_name()).and_then(|n| n.checked_mul(SECTOR)),
            fs_type: self.fstype.clone(),
            label: self.label.clone(),
            part_label: self.partlabel.clone(),
            mountpoints: self.mounts().map(printable).collect(),
            children: self.children.iter().map(|child| child.node(starts)).collect(),
        }
    }
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(optional(deserializer)?.unwrap_or_default())
}

/// Text for people, or nothing where it is empty.
fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = match Value::deserialize(deserializer)? {
        Value::String(text) => printable(&text),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A list, or `null` for none.
fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// A number, which old versions write as text.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    match Value::deserialize(deserializer)? {
        Value::Number(number) => Ok(number.as_u64().unwrap_or_default()),
        Value::String(text) => Ok(text.trim().parse().unwrap_or_default()),
        _ => Ok(0),
    }
}

/// A yes or no, which old versions write as `"1"` and `"0"`.
fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => flag,
        Value::String(text) => text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    })
}

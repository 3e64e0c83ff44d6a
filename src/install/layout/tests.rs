//! The arithmetic against examples, against its own rules, and against the real sgdisk.

use std::io::Write as _;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::super::samples::{GIB, MIB, part};
use super::*;
use crate::process::{Command, RealRunner, Runner};

/// Start and size of every partition in MiB.
fn placed(partitions: &[Partition], size: u64) -> Vec<(u64, u64)> {
    let layout = lay_out(partitions, Some(size));
    assert_eq!(layout.problems, []);
    let parts = layout.parts.iter();
    parts.map(|part| (part.start.unwrap() / MIB, part.size.unwrap() / MIB)).collect()
}

fn bounds(name: &str, start: &str, end: &str) -> Partition {
    Partition { start: Some(start.to_owned()), end: Some(end.to_owned()), ..part(name, None, None) }
}

#[test]
fn the_article_s_layout() {
    let parts = [
        Partition { priority: Some(1), ..bounds("ESP", "1M", "512M") },
        part("root", Some("100%"), None),
    ];
    assert_eq!(placed(&parts, 20 * GIB), [(1, 511), (512, 20 * 1024 - 512 - 1)]);
    let layout = lay_out(&parts, Some(20 * GIB));
    assert_eq!(layout.parts[0].asked, "1M to 512M");
    assert_eq!(layout.parts[1].asked, "100%");
    // ESP, one unit for the rest, one for the table at the end.
    assert_eq!(layout.needs, 513 * MIB + TABLE * SECTOR - SECTOR);
}

#[test]
fn what_takes_the_rest_is_made_last_unless_a_priority_says_otherwise() {
    let parts = [
        part("root", Some("100%"), None),
        part("swap", Some("4G"), None),
        part("ESP", Some("512MiB"), None),
    ];
    let names = |parts: &[Partition]| -> Vec<String> {
        lay_out(parts, Some(20 * GIB)).parts.into_iter().map(|part| part.name).collect()
    };
    assert_eq!(names(&parts), ["swap", "ESP", "root"]);
    assert_eq!(placed(&parts, 20 * GIB), [(1, 4096), (4097, 512), (4609, 20 * 1024 - 4610)]);
    let early = Partition { priority: Some(5), ..parts[2].clone() };
    assert_eq!(names(&[parts[0].clone(), parts[1].clone(), early]), ["ESP", "swap", "root"]);
}

#[test]
fn negative_ends_and_starts_count_from_the_end() {
    let parts = [bounds("root", "0", "-8G"), bounds("swap", "-8G", "100%")];
    let total = 20 * 1024;
    assert_eq!(placed(&parts[..1], 20 * GIB), [(1, total - 2 - 8192 + 1 - 1)]);
    let layout = lay_out(&parts, Some(20 * GIB));
    assert_eq!(layout.parts[0].asked, "all but 8G");
    let parts = [bounds("end", "-1G", "0"), part("rest", Some("0"), None)];
    let both = placed(&parts, 20 * GIB);
    assert_eq!(both[1].0, 1);
    assert_eq!(both[0].0, both[1].1 + 1);
}

#[test]
fn sizes_without_a_disk_are_known_where_they_do_not_depend_on_it() {
    let parts =
        [part("ESP", Some("1G"), None), bounds("a", "2G", "5G"), part("root", Some("100%"), None)];
    let layout = lay_out(&parts, None);
    assert_eq!(layout.problems, []);
    let sizes: Vec<_> = layout.parts.iter().map(|part| (part.start, part.size)).collect();
    assert_eq!(sizes, [(None, Some(GIB)), (None, Some(3 * GIB)), (None, None)]);
}

#[test]
fn nonsense_names_its_field() {
    let problem = |partition: Partition| lay_out(&[partition], Some(GIB)).problems;
    for (partition, field) in [
        (part("x", Some("50%"), None), "size"),
        (part("x", Some("1.5G"), None), "size"),
        (part("x", Some("--1G"), None), "size"),
        (bounds("x", "here", "1G"), "start"),
        (bounds("x", "0", "99999999P"), "end"),
        (bounds("x", "0", ""), "end"),
    ] {
        let problems = problem(partition.clone());
        assert!(
            matches!(&problems[..], [Problem::BadSize { field: f, .. }] if *f == field),
            "{partition:?}: {problems:?}"
        );
    }
}

/// A small generator of numbers, the same in every run (Knuth's MMIX constants).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn size(&mut self) -> String {
        match self.roll(4) {
            0 => format!("{}K", 1 + self.roll(4000)),
            1 => format!("{}G", 1 + self.roll(4)),
            _ => format!("{}M", 1 + self.roll(2000)),
        }
    }

    /// Partitions one after the other, the last perhaps taking the rest.
    fn plain(&mut self) -> Vec<Partition> {
        let count = 1 + self.roll(5);
        let mut parts: Vec<Partition> =
            (0..count).map(|index| part(&format!("p{index}"), Some(&self.size()), None)).collect();
        match self.roll(3) {
            0 => parts.push(part("rest", Some("100%"), None)),
            1 => parts.push(bounds("rest", "0", &format!("-{}", self.size()))),
            _ => {}
        }
        parts
    }

    /// Partitions with starts and ends of every sort, most of them possible.
    fn wild(&mut self) -> Vec<Partition> {
        let mut parts = self.plain();
        for index in 0..=self.roll(2) {
            let start = match self.roll(3) {
                0 => format!("{}M", self.roll(20_000)),
                1 => format!("+{}", self.size()),
                _ => format!("-{}", self.size()),
            };
            let end = match self.roll(3) {
                0 => "-0".to_owned(),
                _ => format!("+{}", self.size()),
            };
            let at = usize::try_from(self.roll(parts.len() as u64 + 1)).unwrap();
            parts.insert(at, bounds(&format!("w{index}"), &start, &end));
        }
        parts
    }
}

#[test]
fn partitions_never_overlap_and_never_leave_the_disk() {
    let mut dice = Dice(1);
    let mut fitted = 0;
    for _ in 0..3000 {
        let parts = if dice.roll(2) == 0 { dice.plain() } else { dice.wild() };
        let size = dice.roll(40_000) * MIB + dice.roll(4096) * SECTOR;
        let layout = lay_out(&parts, Some(size));
        if !layout.problems.is_empty() {
            assert!(layout.parts.iter().all(|part| part.start.is_none()));
            continue;
        }
        fitted += 1;
        let mut extents: Vec<(u64, u64)> =
            layout.parts.iter().map(|part| (part.start.unwrap(), part.size.unwrap())).collect();
        extents.sort_unstable();
        let mut free_from = TABLE * SECTOR;
        for (start, length) in extents {
            assert!(start >= free_from && length > 0, "{parts:?} on {size}");
            assert_eq!(start % MIB, 0, "{parts:?} on {size}");
            free_from = start + length;
        }
        assert!(free_from + (TABLE - 1) * SECTOR <= size, "{parts:?} on {size}");
    }
    assert!(fitted > 500, "only {fitted} layouts fitted: the test tests too little");
}

#[test]
fn a_layout_fits_exactly_from_what_it_needs() {
    let mut dice = Dice(2);
    for _ in 0..500 {
        let parts = dice.plain();
        let needs = lay_out(&parts, None).needs;
        let problems = |size| lay_out(&parts, Some(size)).problems;
        assert_eq!(problems(needs), [], "{parts:?}");
        assert_eq!(problems(needs - SECTOR), [Problem::TooSmall], "{parts:?}");
        assert_eq!(problems(needs + dice.roll(5000) * MIB), [], "{parts:?}");
        assert_eq!(problems(dice.roll(needs / SECTOR) * SECTOR), [Problem::TooSmall], "{parts:?}");
    }
}

/// Runs sgdisk on `image`; its standard output where it ends well.
async fn sgdisk(image: &Path, args: &[String]) -> Option<String> {
    let runner = RealRunner::new(CancellationToken::new());
    let output = runner.run(&Command::new("sgdisk").args(args).arg(image)).await;
    let output = output.expect("sgdisk is needed for this test (package gdisk)");
    output.ok().then(|| output.text())
}

/// What the real sgdisk makes of disko's calls on an image; `None` where it refuses one.
async fn real(parts: &[Partition], size: u64) -> Option<Vec<(u64, u64)>> {
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(size).unwrap();
    // One call: each one that writes waits for all disks of this machine.
    let mut args = vec!["--clear".to_owned(), "--align-end".to_owned()];
    for (index, part) in parts.iter().enumerate() {
        let start = part.start.as_deref().unwrap_or("0");
        let size = part.size.as_deref().unwrap_or("0");
        let by_size = if size == "100%" { "-0".to_owned() } else { format!("+{size}") };
        let end = part.end.clone().unwrap_or(by_size);
        args.push(format!("--new={}:{start}:{end}", index + 1));
    }
    sgdisk(image.path(), &args).await?;
    let mut extents = Vec::new();
    for number in 1..=parts.len() {
        let text = sgdisk(image.path(), &[format!("--info={number}")]).await.unwrap();
        let number = |field: &str| -> u64 {
            let line = text.lines().find(|line| line.starts_with(field)).unwrap();
            line.split_whitespace().nth(2).unwrap().parse().unwrap()
        };
        let start = number("First sector:") * SECTOR;
        extents.push((start, (number("Last sector:") + 1) * SECTOR - start));
    }
    Some(extents)
}

/// Is sgdisk missing, and may the test be left out then?
async fn skipped() -> bool {
    let runner = RealRunner::new(CancellationToken::new());
    let there = runner.run(&Command::new("sgdisk").arg("--version")).await.is_ok();
    std::env::var_os("NIXOS_BOOTSTRAP_TEST_SKIP_MISSING").is_some() && !there
}

#[tokio::test]
async fn the_real_sgdisk_makes_the_same() {
    if skipped().await {
        std::io::stdout().write_all(b"skipped: there is no sgdisk here\n").unwrap();
        return;
    }
    let mut dice = Dice(3);
    let mut same = 0;
    for round in 0..24 {
        let parts = if round % 2 == 0 { dice.plain() } else { dice.wild() };
        let parts: Vec<Partition> =
            parts.into_iter().map(|part| Partition { priority: Some(1), ..part }).collect();
        let size = (1000 + dice.roll(20_000)) * MIB;
        let layout = lay_out(&parts, Some(size));
        let ours: Option<Vec<(u64, u64)>> =
            layout.parts.iter().map(|part| Some((part.start?, part.size?))).collect();
        let ours = ours.filter(|_| layout.problems.is_empty());
        assert_eq!(ours, real(&parts, size).await, "{parts:#?} on {size}");
        same += usize::from(ours.is_some());
    }
    assert!(same > 6, "only {same} of them fitted: the test tests too little");
}

//! How fast sources are parsed: ours and `rnix` in one run, in bytes a second.
//!
//! The sources are this repository's own `.nix` files, many times over, and, where the environment
//! variable `NIX_TREE` names a folder, all `.nix` files below it. They are in memory before the
//! clock starts; ours parses all of them into one table of names. `benches/parse.sh` runs this and
//! the real Nix on the same tree.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, SamplingMode, Throughput};
use nixos_bootstrap::syntax::{Features, Symbols, parse};

/// How often the repository's files are taken.
const TIMES: usize = 16;

fn main() -> std::io::Result<()> {
    let mut criterion = Criterion::default().sample_size(20).configure_from_args();
    let mut own = Vec::new();
    for folder in ["templates", "tests"] {
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut own)?;
    }
    compare(&mut criterion, "repository", &vec![own; TIMES].concat());
    if let Some(folder) = std::env::var_os("NIX_TREE") {
        let mut tree = Vec::new();
        read(Path::new(&folder), &mut tree)?;
        compare(&mut criterion, "tree", &tree);
    }
    criterion.final_summary();
    Ok(())
}

/// Adds the text of all `.nix` files below `folder`; what is no UTF-8 is left out, since `rnix`
/// reads nothing else.
fn read(folder: &Path, sources: &mut Vec<String>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        // Links are not followed.
        if entry.file_type()?.is_dir() {
            read(&path, sources)?;
        } else if path.extension().is_some_and(|ending| ending == "nix") {
            sources.extend(std::fs::read_to_string(&path));
        }
    }
    Ok(())
}

fn compare(criterion: &mut Criterion, name: &str, sources: &[String]) {
    let bytes = sources.iter().map(|source| source.len() as u64).sum();
    let mut group = criterion.benchmark_group(format!("parse/{name}"));
    group.throughput(Throughput::BytesDecimal(bytes)).sampling_mode(SamplingMode::Flat);
    group.bench_function("ours", |bencher| {
        bencher.iter(|| {
            let mut symbols = Symbols::new();
            for source in sources {
                let _ = black_box(parse(source.as_bytes(), &mut symbols, Features::default()));
            }
        });
    });
    group.bench_function("rnix", |bencher| {
        bencher.iter(|| {
            for source in sources {
                black_box(rnix::Root::parse(source));
            }
        });
    });
    group.finish();
}

//! Any bytes are evaluated to a value that can be printed, or end with an error that can be told.
#![no_main]

use std::cell::Cell;
use std::io::Result;

use libfuzzer_sys::fuzz_target;
use nixos_bootstrap::eval::Eval;
use nixos_bootstrap::eval::arena::Arena;
use nixos_bootstrap::eval::io::{EvalIo, FileType, Level, MemoryIo};
use nixos_bootstrap::eval::position::{Origin, Pos};
use nixos_bootstrap::eval::settings::Settings;

/// An outside in memory, which ends an evaluation that takes too long or too much.
struct Limited<'a> {
    inner: MemoryIo,
    arena: &'a Arena,
    questions: Cell<u32>,
}

/// How often the evaluator may ask whether it should stop.
const MOST_QUESTIONS: u32 = 2_000;
/// How much it may use, in bytes.
const MOST_MEMORY: usize = 512 << 20;

impl EvalIo for Limited<'_> {
    fn read_file(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.inner.read_file(path)
    }

    fn read_dir(&self, path: &[u8]) -> Result<Vec<(Vec<u8>, FileType)>> {
        self.inner.read_dir(path)
    }

    fn file_type(&self, path: &[u8]) -> Result<Option<FileType>> {
        self.inner.file_type(path)
    }

    fn read_link(&self, path: &[u8]) -> Result<Vec<u8>> {
        self.inner.read_link(path)
    }

    fn env(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.inner.env(name)
    }

    fn now(&self) -> i64 {
        self.inner.now()
    }

    fn message(&self, _: Level, _: &[u8]) {}

    fn interrupted(&self) -> bool {
        self.questions.set(self.questions.get() + 1);
        self.questions.get() > MOST_QUESTIONS || self.arena.used() > MOST_MEMORY
    }
}

/// What programs may find: a folder with a file, a program, and links that lead nowhere and in circles.
fn outside() -> MemoryIo {
    MemoryIo::new()
        .file("/d/a.nix", "x: { inherit x; }")
        .file("/d/b/default.nix", "import ../a.nix")
        .file("/d/t", "text \u{e4}\n\0")
        .file("/d/f.nix", "")
        .link("/d/gone", "nowhere")
        .link("/d/round", "round")
        .link("/d/link", "b")
        .executable("/d/run", "#!/bin/sh\n")
        .var("A", "b")
        .at(1_700_000_000)
}

fuzz_target!(|source: &[u8]| {
    let arena = Arena::new();
    let io = Limited { inner: outside(), arena: &arena, questions: Cell::new(0) };
    let settings = Settings { max_call_depth: 500, ..Settings::default() };
    let mut eval = Eval::new(&arena, &io, settings);
    let value = eval.eval_string(source, b"/d", Origin::String);
    if let Err(error) = value.and_then(|value| eval.force_deep(value, Pos::NONE)) {
        assert!(!error.to_string().is_empty());
    }
});

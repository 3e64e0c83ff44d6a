//! Any bytes are parsed or refused, and what is told lies inside them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nixos_bootstrap::syntax::{Features, Symbols, parse};

fuzz_target!(|source: &[u8]| {
    let mut symbols = Symbols::new();
    if let Err(error) = parse(source, &mut symbols, Features::default()) {
        assert!(error.offset as usize <= source.len(), "{error} at {}", error.offset);
        assert!(!error.message.is_empty());
    }
});

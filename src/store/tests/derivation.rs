//! Derivations as text.

use crate::store::{
    CaMethod, ContentAddress, Derivation, DerivationKind, Hash, HashAlgo, Output, References,
    StoreDir, StoreError, StorePath, Variables,
};

fn path(digit: u8, name: &str) -> StorePath {
    StorePath::from_digest([digit; 20], name.as_bytes()).unwrap()
}

fn store() -> StoreDir {
    StoreDir::default()
}

fn text(drv: &Derivation) -> Vec<u8> {
    let mut out = Vec::new();
    drv.write(&store(), &mut out).unwrap();
    out
}

fn shown(drv: &Derivation) -> String {
    String::from_utf8(text(drv)).unwrap()
}

fn parse(text: &[u8]) -> Result<Derivation, StoreError> {
    Derivation::parse(&store(), "foo", text)
}

/// A derivation with something in every field.
fn sample() -> Derivation {
    let mut drv = Derivation::new("foo");
    drv.outputs.insert((*b"out").into(), Output::InputAddressed(path(1, "foo")));
    drv.outputs.insert((*b"dev").into(), Output::InputAddressed(path(2, "foo-dev")));
    drv.inputs.add_output(&path(4, "b.drv"), b"out");
    drv.inputs.add_output(&path(4, "b.drv"), b"dev");
    drv.inputs.add_output(&path(4, "b.drv"), b"out");
    drv.inputs.add_output(&path(3, "a.drv"), b"out");
    drv.inputs.srcs.extend([path(6, "y"), path(5, "x")]);
    drv.platform = (*b"x86_64-linux").into();
    drv.builder = (*b"/bin/\"sh\"").into();
    drv.args = vec![(*b"-c").into(), (*b"").into(), (*b"a\nb\tc\rd\\e\"f$g").into()];
    let env: [(&[u8], &[u8]); 4] =
        [(b"b", b"\xff\x00\xfe"), (b"a", b"\\"), (b"_", b""), (b"Z\n", b"''${x}")];
    drv.env = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    drv
}

#[test]
fn every_byte_is_as_nix_writes_it() {
    let at = |path: &StorePath| format!("/nix/store/{path}");
    let expected = format!(
        r#"Derive([("dev","{}","",""),("out","{}","","")],[("{}",["out"]),("{}",["dev","out"])],["{}","{}"],"x86_64-linux","/bin/\"sh\"",["-c","","a\nb\tc\rd\\e\"f$g"],[("Z\n","''${{x}}"),("_",""),("a","\\"),("b","?")])"#,
        at(&path(2, "foo-dev")),
        at(&path(1, "foo")),
        at(&path(3, "a.drv")),
        at(&path(4, "b.drv")),
        at(&path(5, "x")),
        at(&path(6, "y")),
    );
    let (before, after) = expected.split_once('?').unwrap();
    let expected = [before.as_bytes(), b"\xff\x00\xfe", after.as_bytes()].concat();
    assert_eq!(text(&sample()), expected);
    assert_eq!(parse(&expected).unwrap(), sample());
}

#[test]
fn structured_attributes_are_a_variable_in_its_place() {
    let mut drv = sample();
    drv.structured_attrs = Some((*br#"{"a":["b"]}"#).into());
    let written = shown(&Derivation { env: Variables::default(), ..drv.clone() });
    assert!(written.ends_with(r#",[("__json","{\"a\":[\"b\"]}")])"#), "{written}");
    let written = text(&drv);
    let between = br#"("_",""),("__json","{\"a\":[\"b\"]}"),("a","\\")"#;
    assert!(written.windows(between.len()).any(|window| window == between));
    assert_eq!(parse(&written).unwrap(), drv);

    drv.structured_attrs = None;
    drv.env.insert((*b"__json").into(), (*b"{}").into());
    assert!(matches!(drv.write(&store(), &mut Vec::new()), Err(StoreError::JsonVariable)));
}

#[test]
fn outputs_of_every_kind_come_back() {
    let hash = Hash::of(HashAlgo::Sha256, b"x");
    let hex = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881";
    let address = ContentAddress { method: CaMethod::Nar, hash };
    let fixed = store().ca_path(b"foo", &address, References::NONE).unwrap();
    for (output, written, kind) in [
        (Output::Deferred, r#"("out","","","")"#.to_owned(), DerivationKind::Deferred),
        (
            Output::Fixed(address),
            format!(r#"("out","/nix/store/{fixed}","r:sha256","{hex}")"#),
            DerivationKind::Fixed,
        ),
        (
            Output::Floating(CaMethod::Text, HashAlgo::Sha1),
            r#"("out","","text:sha1","")"#.to_owned(),
            DerivationKind::Floating,
        ),
        (
            Output::Impure(CaMethod::Flat, HashAlgo::Md5),
            r#"("out","","md5","impure")"#.to_owned(),
            DerivationKind::Impure,
        ),
    ] {
        let mut drv = Derivation::new("foo");
        drv.outputs.insert((*b"out").into(), output);
        assert_eq!(drv.kind().unwrap(), kind);
        assert_eq!(shown(&drv), format!(r#"Derive([{written}],[],[],"","",[],[])"#));
        assert_eq!(parse(&text(&drv)).unwrap(), drv);
    }
}

#[test]
fn outputs_of_outputs_make_the_newer_format() {
    let mut drv = Derivation::new("foo");
    drv.outputs.insert((*b"out").into(), Output::Deferred);
    drv.inputs.add_output(&path(1, "a.drv"), b"out");
    drv.inputs.add_dynamic_output(&path(1, "a.drv"), &[b"x", b"y"], b"b");
    drv.inputs.add_dynamic_output(&path(1, "a.drv"), &[b"x", b"y"], b"a");
    drv.inputs.add_output(&path(2, "b.drv"), b"out");
    let (a, b) = (path(1, "a.drv"), path(2, "b.drv"));
    let expected = format!(
        r#"DrvWithVersion("xp-dyn-drv",[("out","","","")],[("/nix/store/{a}",(["out"],[("x",([],[("y",["a","b"])]))])),("/nix/store/{b}",["out"])],[],"","",[],[])"#
    );
    assert_eq!(shown(&drv), expected);
    assert_eq!(parse(expected.as_bytes()).unwrap(), drv);
    let old = expected.replace("DrvWithVersion(\"xp-dyn-drv\",", "Derive(");
    assert!(parse(old.as_bytes()).is_err());
    let newer = expected.replace("xp-dyn-drv", "xp-new");
    let message = "Unknown derivation ATerm format version 'xp-new', at byte 15";
    assert_eq!(parse(newer.as_bytes()).unwrap_err().to_string(), message);
}

#[test]
fn lists_are_sets_and_surplus_escapes_are_dropped() {
    let loose =
        br#"Derive([("out","","","")],[],[],"","\b",[],[("b","1"),("a","\"\n\x"),("b","2")])"#;
    let drv = parse(loose).unwrap();
    let strict = br#"Derive([("out","","","")],[],[],"","b",[],[("a","\"\nx"),("b","2")])"#;
    assert_eq!(text(&drv), strict);
}

#[test]
fn malformed_derivations_name_the_place() {
    let src = format!("/nix/store/{}", path(1, "x"));
    for (text, message) in [
        ("", "derivation does not start with 'Derive' or 'DrvWithVersion', at byte 0"),
        ("Derive[", "derivation does not start with 'Derive' or 'DrvWithVersion', at byte 0"),
        ("Derive(", "expected string '[', at byte 7"),
        ("Derive([x", "expected string '(', at byte 8"),
        ("Derive([(\"out", "unterminated string in derivation, at byte 10"),
        ("Derive([(\"out\\", "unterminated string in derivation, at byte 14"),
        ("Derive([(\"out\",\"\",\"\")", "expected string ',', at byte 20"),
        ("Derive([],[],[\"/etc\"", "path '/etc' is not in the Nix store"),
        (
            "Derive([],[],[\"/nix/store/../store/x\"",
            "path '/nix/store/../store/x' is not in the Nix store",
        ),
        ("Derive([],[],[],\"\",\"\",[],[])x", "expected nothing more, at byte 28"),
        ("Derive([(\"o\",\"x\",\"\",\"\")]", "path 'x' is not in the Nix store"),
        (
            "Derive([(\"o\",\"\",\"sha3\",\"\")]",
            "unknown hash algorithm 'sha3', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'",
        ),
        (
            "Derive([(\"o\",\"/x\",\"sha1\",\"\")]",
            "content-addressing derivation output should not specify output path, at byte 8",
        ),
        (
            "Derive([(\"o\",\"/x\",\"sha1\",\"impure\")]",
            "impure derivation output should not specify output path, at byte 8",
        ),
        (
            &format!("Derive([],[(\"{src}.drv\",[])"),
            &format!("inputDrvs entry for '{src}.drv' specifies no outputs, at byte 12"),
        ),
        (
            &format!("Derive([(\"out\",\"{src}\",\"md5\",\"d41d8cd98f00b204e9800998ecf8427e\")]"),
            &format!(
                "derivation output 'out' has path '{src}', which does not match its content address, at byte 8"
            ),
        ),
    ] {
        assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), message, "{text}");
    }
}

#[test]
fn what_is_read_of_a_changed_derivation_comes_back() {
    let whole = text(&sample());
    let (mut number, mut taken) = (1_u64, 0);
    for _ in 0..20_000 {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let [.., at, byte] = number.to_be_bytes().map(usize::from);
        let mut changed = whole.clone();
        let place = at * whole.len() / 256 + byte % 5;
        let with = b"\"\\,[]()\n\xffa";
        if let Some(place) = changed.get_mut(place) {
            *place = with[byte % with.len()];
        }
        if let Ok(drv) = parse(&changed) {
            taken += 1;
            assert_eq!(parse(&text(&drv)).unwrap(), drv);
        }
    }
    assert!(taken > 1000, "only {taken} were taken");
}

#[test]
fn every_cut_derivation_is_refused() {
    let whole = text(&sample());
    for len in 0..whole.len() {
        assert!(parse(&whole[..len]).is_err(), "the first {len} bytes are taken for a derivation");
    }
    let nested = format!("DrvWithVersion(\"xp-dyn-drv\",[],[(\"/nix/store/{}\",", path(1, "a.drv"));
    let nested = nested + &"([],[(\"x\",".repeat(100_000);
    assert!(parse(nested.as_bytes()).is_err());
}

type Outputs<'a> = &'a [(&'a [u8], &'a Output)];

#[test]
fn outputs_that_cannot_be_together() {
    let hash = Hash::of(HashAlgo::Sha1, b"");
    let fixed = Output::Fixed(ContentAddress { method: CaMethod::Flat, hash });
    let floating = |algo| Output::Floating(CaMethod::Nar, algo);
    let cases: [(Outputs, &str); 5] = [
        (&[], "must have at least one output"),
        (&[(b"a", &fixed)], "single fixed output must be named \"out\""),
        (&[(b"out", &fixed), (b"z", &fixed)], "only one fixed output is allowed for now"),
        (&[(b"a", &Output::Deferred), (b"out", &fixed)], "can't mix derivation output types"),
        (
            &[(b"a", &floating(HashAlgo::Sha1)), (b"b", &floating(HashAlgo::Sha256))],
            "all floating outputs must use the same hash algorithm",
        ),
    ];
    for (outputs, message) in cases {
        let mut drv = Derivation::new("foo");
        drv.outputs =
            outputs.iter().map(|(name, output)| ((*name).into(), (*output).clone())).collect();
        assert_eq!(drv.kind().unwrap_err().to_string(), message);
    }
}

#[test]
fn references_are_all_inputs_in_order() {
    let mut drv = sample();
    // A derivation can be a source as well: `builtins.addDrvOutputDependencies` is no part of it.
    drv.inputs.srcs.insert(path(4, "b.drv"));
    let names: Vec<_> = drv.inputs.paths().map(|path| path.name().to_owned()).collect();
    let mut sorted: Vec<_> = drv.inputs.paths().collect();
    sorted.sort();
    sorted.dedup();
    assert_eq!(sorted.iter().map(|path| path.name()).collect::<Vec<_>>(), names);
    assert_eq!(names.len(), 4);
}

//! Instantiation: paths that derivations get, and what is remembered. The pinned paths are what
//! C++ Nix 2.34.8 gives for such derivations.

use std::collections::HashMap;
use std::io;

use crate::store::{
    CaMethod, ContentAddress, Derivation, DrvHash, DrvHashes, Hash, HashAlgo, Output, StoreDir,
    StoreError, StorePath,
};

/// Derivations that real Nix would have in its store.
#[derive(Default)]
struct Written(HashMap<StorePath, Vec<u8>>);

impl Written {
    fn read(&self) -> impl FnMut(&StorePath) -> io::Result<Vec<u8>> {
        |path| self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

fn nothing(_: &StorePath) -> io::Result<Vec<u8>> {
    Err(io::ErrorKind::NotFound.into())
}

/// `derivation { inherit name; system = "s"; builder = "b"; }` with these outputs.
fn plain(name: &str, outputs: &[&str]) -> Derivation {
    let mut drv = Derivation::new(name);
    drv.platform = (*b"s").into();
    drv.builder = (*b"b").into();
    for (variable, value) in [("name", name), ("system", "s"), ("builder", "b")] {
        drv.env.insert(variable.as_bytes().into(), value.as_bytes().into());
    }
    for output in outputs {
        drv.add_output(&StoreDir::default(), output.as_bytes(), Output::Deferred).unwrap();
    }
    drv
}

/// The same as a fixed output of "hello" that is fetched from somewhere.
fn fixed(name: &str, url: &str) -> Derivation {
    let mut drv = plain(name, &[]);
    let hash = Hash::of(HashAlgo::Sha256, b"hello");
    let address = ContentAddress { method: CaMethod::Flat, hash };
    let variables = [
        ("url", url),
        ("outputHashAlgo", "sha256"),
        ("outputHash", "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
    ];
    for (variable, value) in variables {
        drv.env.insert(variable.as_bytes().into(), value.as_bytes().into());
    }
    drv.add_output(&StoreDir::default(), b"out", Output::Fixed(address)).unwrap();
    drv
}

fn out_path(drv: &Derivation, output: &str) -> String {
    let path =
        drv.outputs[output.as_bytes()].path(&StoreDir::default(), &drv.name, output.as_bytes());
    let path = format!("/nix/store/{}", path.unwrap().unwrap());
    assert_eq!(&**drv.env.get(output.as_bytes()).unwrap(), path.as_bytes());
    path
}

#[test]
fn known_paths() {
    let mut hashes = DrvHashes::default();
    let mut a = plain("a", &["out"]);
    let path = hashes.instantiate(&mut a, &mut nothing).unwrap();
    assert_eq!(path.base_name(), "pn5w9v350w6b152fg17i8iinyi3g0di4-a.drv");
    assert_eq!(out_path(&a, "out"), "/nix/store/dxf718d43nfd27n0ks5dv1yyq75xv2yk-a");

    let mut b = plain("b", &["out", "dev"]);
    b.env.insert((*b"outputs").into(), (*b"out dev").into());
    b.env.insert((*b"a").into(), out_path(&a, "out").into_bytes().into());
    b.inputs.add_output(&path, b"out");
    let path = hashes.instantiate(&mut b, &mut nothing).unwrap();
    assert_eq!(path.base_name(), "byxr7ppzyy6iprn9qlzdycms8x1rpxrd-b.drv");
    assert_eq!(out_path(&b, "out"), "/nix/store/28m4pghvw7d082rsrdfj6kwqxnc28j53-b");
    assert_eq!(out_path(&b, "dev"), "/nix/store/4vcivxmw85sqfycg38bwsc6ll56l1903-b-dev");

    let mut f = fixed("f", "here");
    let path = hashes.instantiate(&mut f, &mut nothing).unwrap();
    assert_eq!(path.base_name(), "v1c7p0rdliwaya8m3y8r399z4krmhswl-f.drv");
    assert_eq!(out_path(&f, "out"), "/nix/store/4c6wsvi6cnq8h7ibg70pv68bi43y92xs-f");
}

#[test]
fn instantiating_again_changes_nothing() {
    let mut hashes = DrvHashes::default();
    for mut drv in [plain("a", &["out", "dev"]), fixed("f", "here")] {
        let path = hashes.instantiate(&mut drv, &mut nothing).unwrap();
        let hash = hashes.get(&path);
        let before = drv.clone();
        assert_eq!(hashes.instantiate(&mut drv, &mut nothing).unwrap(), path);
        assert_eq!((hashes.get(&path), drv), (hash, before));
    }
}

#[test]
fn where_a_fixed_output_comes_from_does_not_matter() {
    let mut hashes = DrvHashes::default();
    let user = |hashes: &mut DrvHashes, urls: &[&str]| {
        let mut user = plain("user", &["out"]);
        let mut paths = Vec::new();
        for url in urls {
            let path = hashes.instantiate(&mut fixed("f", url), &mut nothing).unwrap();
            user.inputs.add_output(&path, b"out");
            paths.push(path);
        }
        let path = hashes.instantiate(&mut user, &mut nothing).unwrap();
        (path.clone(), out_path(&user, "out"), hashes.get(&path).unwrap())
    };
    let (here, there, both) = (
        user(&mut hashes, &["here"]),
        user(&mut hashes, &["there"]),
        user(&mut hashes, &["here", "there"]),
    );
    assert_ne!(here.0, there.0);
    assert_eq!((&here.1, here.2), (&there.1, there.2));
    assert_eq!((&here.1, here.2), (&both.1, both.2));
    assert_eq!(here.1, "/nix/store/ivbwh8n72589hbcz73p1v9f26za27aa1-user");
}

#[test]
fn outputs_of_inputs_with_the_same_hash_are_joined() {
    let mut hashes = DrvHashes::default();
    // Two derivations that differ only in where a source comes from, with two outputs each.
    let [one, two] = ["here", "there"].map(|url| {
        let source = hashes.instantiate(&mut fixed("f", url), &mut nothing).unwrap();
        let mut drv = plain("lib", &["out", "dev"]);
        drv.inputs.add_output(&source, b"out");
        hashes.instantiate(&mut drv, &mut nothing).unwrap()
    });
    assert_ne!(one, two);
    assert_eq!(hashes.get(&one), hashes.get(&two));
    let mut outs = Vec::new();
    for inputs in [
        vec![(&one, "out"), (&two, "dev")],
        vec![(&one, "dev"), (&two, "out"), (&two, "dev")],
        vec![(&two, "dev"), (&two, "out")],
    ] {
        let mut user = plain("user", &["out"]);
        for (path, output) in inputs {
            user.inputs.add_output(path, output.as_bytes());
        }
        hashes.instantiate(&mut user, &mut nothing).unwrap();
        outs.push(out_path(&user, "out"));
    }
    outs.dedup();
    assert_eq!(outs.len(), 1);
}

#[test]
fn what_needs_a_floating_output_is_deferred() {
    let mut hashes = DrvHashes::default();
    let mut floating = plain("f", &[]);
    let output = Output::Floating(CaMethod::Nar, HashAlgo::Sha256);
    floating.add_output(&StoreDir::default(), b"out", output).unwrap();
    assert_eq!(
        **floating.env.get(b"out".as_slice()).unwrap(),
        *b"/1rz4g4znpzjwh1xymhjpm42vipw92pr73vdgl6xs1hycac8kf2n9"
    );
    let floating = hashes.instantiate(&mut floating, &mut nothing).unwrap();
    assert_eq!(hashes.get(&floating), Some(DrvHash::Deferred));

    let mut user = plain("user", &["out"]);
    user.inputs.add_output(&floating, b"out");
    let path = hashes.instantiate(&mut user, &mut nothing).unwrap();
    assert_eq!(user.outputs[b"out".as_slice()], Output::Deferred);
    assert_eq!(**user.env.get(b"out".as_slice()).unwrap(), *b"");
    assert_eq!(hashes.get(&path), Some(DrvHash::Deferred));

    let wrong = Output::InputAddressed(path.clone());
    user.outputs.insert((*b"out").into(), wrong);
    let error = hashes.instantiate(&mut user, &mut nothing).unwrap_err();
    assert!(matches!(error, StoreError::OutputNotDeferred(_)));

    let mut user = plain("user", &["out"]);
    let outputs = user.inputs.drvs.entry(path).or_default();
    outputs.dynamic.entry((*b"out").into()).or_default().names.insert(b"out");
    hashes.instantiate(&mut user, &mut nothing).unwrap();
    assert_eq!(user.outputs[b"out".as_slice()], Output::Deferred);
}

#[test]
fn inputs_are_read_where_they_were_not_met() {
    let store = StoreDir::default();
    let mut written = Written::default();
    let mut first = DrvHashes::default();
    let mut last: Option<StorePath> = None;
    // Deep enough to overflow the stack of a recursive reader.
    for number in 0..20_000 {
        let mut drv = plain(&format!("n{number}"), &["out"]);
        if let Some(last) = &last {
            drv.inputs.add_output(last, b"out");
        }
        let path = first.instantiate(&mut drv, &mut nothing).unwrap();
        let mut text = Vec::new();
        drv.write(&store, &mut text).unwrap();
        assert_eq!(drv.path(&store).unwrap(), path);
        written.0.insert(path.clone(), text);
        last = Some(path);
    }
    let last = last.unwrap();
    let mut second = DrvHashes::default();
    let hash = second.hash_of(&last, &mut written.read()).unwrap();
    assert_eq!(Some(hash), first.get(&last));
    assert!(written.0.keys().all(|path| second.get(path) == first.get(path)));

    let mut user = plain("user", &["out"]);
    user.inputs.add_output(&last, b"out");
    let mut same = user.clone();
    let path = first.instantiate(&mut user, &mut nothing).unwrap();
    let mut third = DrvHashes::default();
    assert_eq!(third.instantiate(&mut same, &mut written.read()).unwrap(), path);
    assert_eq!(same, user);
}

#[test]
fn inputs_that_cannot_be_read() {
    let mut hashes = DrvHashes::default();
    let input = StorePath::from_digest([1; 20], b"a.drv").unwrap();
    let mut user = plain("user", &["out"]);
    user.inputs.add_output(&input, b"out");
    let error = hashes.instantiate(&mut user, &mut nothing).unwrap_err();
    let message = format!("error parsing derivation '/nix/store/{input}': entity not found");
    assert_eq!(error.to_string(), message);
    let mut garbage = |_: &StorePath| Ok(b"Derive".to_vec());
    let error = hashes.instantiate(&mut user, &mut garbage).unwrap_err();
    assert!(matches!(error, StoreError::InputDerivation { .. }));
    // Two that need each other cannot be made, but can be claimed.
    let other = StorePath::from_digest([2; 20], b"b.drv").unwrap();
    let mut cycle = |path: &StorePath| {
        let needed = if *path == input { &other } else { &input };
        let out = format!("/nix/store/{}", StorePath::from_digest([3; 20], b"x").unwrap());
        let text = format!(
            r#"Derive([("out","{out}","","")],[("/nix/store/{needed}",["out"])],[],"s","b",[],[])"#
        );
        Ok(text.into_bytes())
    };
    let error = hashes.instantiate(&mut user, &mut cycle).unwrap_err();
    assert!(matches!(error, StoreError::Cycle(path) if path == input.base_name()));
}

#[test]
fn an_input_must_have_the_output() {
    let mut hashes = DrvHashes::default();
    let input = hashes.instantiate(&mut fixed("f", "here"), &mut nothing).unwrap();
    let mut user = plain("user", &["out"]);
    user.inputs.add_output(&input, b"dev");
    let error = hashes.instantiate(&mut user, &mut nothing).unwrap_err();
    assert_eq!(error.to_string(), "no hash for output 'dev' of derivation 'user'");
}

#[test]
fn outputs_with_another_path_are_refused() {
    let mut hashes = DrvHashes::default();
    let mut right = plain("a", &["out"]);
    hashes.instantiate(&mut right, &mut nothing).unwrap();
    let other = StorePath::from_digest([1; 20], b"a").unwrap();

    let mut wrong = right.clone();
    wrong.outputs.insert((*b"out").into(), Output::InputAddressed(other.clone()));
    let message = format!(
        "derivation has incorrect output '/nix/store/{other}', should be '{}'",
        out_path(&right, "out")
    );
    assert_eq!(hashes.instantiate(&mut wrong, &mut nothing).unwrap_err().to_string(), message);

    for mut wrong in [right, fixed("f", "here")] {
        wrong.env.insert((*b"out").into(), (*b"elsewhere").into());
        let error = hashes.instantiate(&mut wrong, &mut nothing).unwrap_err();
        let StoreError::OutputVariable { name, found, .. } = &error else { panic!("{error}") };
        assert_eq!((&**name, &**found), ("out", "elsewhere"));
    }
}

//! Derivations that real Nix has instantiated: their texts read and written again, their paths
//! computed anew.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use nixos_bootstrap::store::{
    Derivation, DownstreamPlaceholder, DrvHash, DrvHashes, Hash, HashAlgo, HashFormat, Output,
    StoreDir, StorePath,
};
use serde_json::Value;

use super::{Numbers, RealStore};

/// An expression with many derivations that need each other: a list of
/// `{ drvPath, outputs = { name = outPath; … } }`.
struct Generator {
    numbers: Numbers,
    expression: Vec<u8>,
    /// The outputs of each derivation so far.
    outputs: Vec<Vec<&'static str>>,
}

impl Generator {
    fn put(&mut self, text: &str) {
        self.expression.extend_from_slice(text.as_bytes());
    }

    /// A string literal of odd bytes, some of which need escapes in derivations.
    fn odd_string(&mut self, only_utf_8: bool) {
        let parts: [&[u8]; 14] = [
            b"\\n",
            b"\\t",
            b"\\r",
            b"\\\\",
            b"\\\"",
            b"'",
            b"''",
            b"\\${x}",
            b"$",
            b"plain",
            b"\xc3\xa9",
            b"\x01",
            b"\xff",
            b"\xc3",
        ];
        let parts = if only_utf_8 { &parts[..12] } else { &parts };
        self.put("\"");
        for _ in 0..self.numbers.below(6) {
            let part = *self.numbers.one_of(parts);
            self.expression.extend_from_slice(part);
        }
        self.put("\"");
    }

    /// A string with something in its context.
    fn input(&mut self, before: usize) {
        let text = match self.numbers.below(8) {
            0 => format!("builtins.toFile \"s{0}\" \"{0}\"", self.numbers.below(5)),
            kind if before > 0 => {
                let other = self.numbers.below(before);
                let output = *self.numbers.one_of(&self.outputs[other]);
                match kind {
                    1 => format!("d{other}.drvPath"),
                    2 => format!("builtins.unsafeDiscardOutputDependency d{other}.drvPath"),
                    _ => format!("d{other}.{output}"),
                }
            }
            _ => "\"none\"".to_owned(),
        };
        self.put(&format!("\"a ${{{text}}}/b\""));
    }

    fn derivation(&mut self, number: usize) {
        let kind = self.numbers.below(30);
        let is_structured = self.numbers.is_one_in(5);
        self.put(&format!("d{number} = derivation {{ system = \"s-l\"; builder = "));
        if self.numbers.is_one_in(3) {
            self.input(number);
        } else {
            self.put("\"/bin/sh\"");
        }
        let outputs = if kind < 7 {
            self.fixed();
            vec!["out"]
        } else {
            self.name_and_outputs(number)
        };
        match kind {
            7 => self.put("; __contentAddressed = true"),
            8 => self.put("; __impure = true"),
            _ => {}
        }
        if is_structured {
            self.put("; __structuredAttrs = true; json = { z = [ 1 true null ]; a = ");
            self.odd_string(true);
            self.put("; b = ");
            self.input(number);
            self.put("; }");
        }
        if self.numbers.is_one_in(2) {
            self.put("; args = [ \"-c\" ");
            self.odd_string(is_structured);
            self.input(number);
            self.put(" ]");
        }
        for variable in 0..self.numbers.below(6) {
            self.put(&format!("; v{variable} = "));
            if self.numbers.is_one_in(2) {
                self.odd_string(is_structured);
            } else {
                self.input(number);
            }
        }
        self.put("; };\n");
        self.outputs.push(outputs);
    }

    fn name_and_outputs(&mut self, number: usize) -> Vec<&'static str> {
        let name = *self.numbers.one_of(&["", ".x", "+-._?="]);
        self.put(&format!("; name = \"n{}{name}\"", number % 3));
        let lists = [vec!["out"], vec!["out", "dev"], vec!["lib", "out", "a"], vec!["bin"]];
        let outputs = self.numbers.one_of(&lists).clone();
        self.put(&format!("; outputs = [ \"{}\" ]", outputs.join("\" \"")));
        outputs
    }

    /// A fixed output; a few contents, so that the same one is fetched from different places.
    fn fixed(&mut self) {
        let content = self.numbers.below(HashAlgo::ALL.len());
        let algo = HashAlgo::ALL[content];
        let hash = Hash::of(algo, &[u8::try_from(content).unwrap()]);
        let mode = ["flat", "recursive"][content % 2];
        let format =
            *self.numbers.one_of(&[HashFormat::Base16, HashFormat::Nix32, HashFormat::Sri]);
        let (text, url) = (hash.to_text(format, false), self.numbers.below(1000));
        self.put(&format!(
            "; name = \"f{content}\"; outputHash = \"{text}\"; outputHashMode = \"{mode}\"; outputHashAlgo = \"{algo}\"; url = \"u{url}\""
        ));
    }
}

fn generate(seed: u64, count: usize) -> Vec<u8> {
    let mut generator =
        Generator { numbers: Numbers(seed), expression: b"let\n".to_vec(), outputs: Vec::new() };
    for number in 0..count {
        generator.derivation(number);
    }
    generator.put(
        "discard = builtins.unsafeDiscardStringContext;
         shown = d: { drvPath = discard d.drvPath; outputs = builtins.listToAttrs
           (map (o: { name = o.outputName; value = discard o.outPath; }) d.all); };
         in map shown [",
    );
    for number in 0..count {
        generator.put(&format!(" d{number}"));
    }
    generator.put("]");
    generator.expression
}

/// The texts of all derivations in a real store.
fn written(real: &RealStore) -> BTreeMap<StorePath, Vec<u8>> {
    let mut texts = BTreeMap::new();
    for entry in fs::read_dir(real.path()).unwrap() {
        let entry = entry.unwrap();
        let path = StorePath::from_base_name(entry.file_name().to_str().unwrap().as_bytes());
        if let Ok(path) = path
            && path.is_derivation()
        {
            texts.insert(path, fs::read(entry.path()).unwrap());
        }
    }
    texts
}

/// Instantiates a derivation and before it all that it needs, as an evaluator would: without the
/// paths of input-addressed outputs.
fn instantiate(
    path: &StorePath,
    texts: &BTreeMap<StorePath, Vec<u8>>,
    hashes: &mut DrvHashes,
    done: &mut BTreeMap<StorePath, Derivation>,
) {
    if done.contains_key(path) {
        return;
    }
    let store = hashes.store().clone();
    let name = path.derivation_name().unwrap();
    let whole = Derivation::parse(&store, name, &texts[path]).unwrap();
    for input in whole.inputs.drvs.keys() {
        instantiate(input, texts, hashes, done);
    }
    let mut drv = whole.clone();
    drv.outputs.clear();
    for (name, output) in &whole.outputs {
        let output = match output {
            Output::InputAddressed(_) => Output::Deferred,
            other => other.clone(),
        };
        drv.add_output(&store, name, output).unwrap();
    }
    let mut nothing = |_: &StorePath| Err(io::ErrorKind::NotFound.into());
    assert_eq!(hashes.instantiate(&mut drv, &mut nothing).unwrap(), *path);
    assert_eq!(drv, whole);
    done.insert(path.clone(), drv);
}

/// The path of an output, or what stands for it.
fn shown_output(store: &StoreDir, path: &StorePath, drv: &Derivation, name: &str) -> String {
    let output = &drv.outputs[name.as_bytes()];
    match output.path(store, &drv.name, name.as_bytes()).unwrap() {
        Some(path) => String::from_utf8(store.to_absolute(&path)).unwrap(),
        None => DownstreamPlaceholder::unknown_ca_output(path, name.as_bytes()).render(),
    }
}

/// Does a derivation have two inputs that are the same but for where a source comes from?
fn has_same_inputs(drv: &Derivation, hashes: &DrvHashes) -> bool {
    let inputs: Vec<_> = drv.inputs.drvs.keys().map(|path| hashes.get(path).unwrap()).collect();
    let is_again =
        |at: usize| inputs[at] != DrvHash::Deferred && inputs[..at].contains(&inputs[at]);
    (0..inputs.len()).any(is_again)
}

/// Compares all that is in the store; tells for how many derivations hashes of inputs collide.
fn check(real: &RealStore, values: &Value) -> usize {
    let store = real.dir();
    let texts = written(real);
    for (path, text) in &texts {
        let drv = Derivation::parse(&store, path.derivation_name().unwrap(), text).unwrap();
        let mut again = Vec::new();
        drv.write(&store, &mut again).unwrap();
        assert!(again == *text, "{path} is written differently");
        assert_eq!(drv.path(&store).unwrap(), *path);
    }
    let (mut hashes, mut done) = (DrvHashes::new(store.clone()), BTreeMap::new());
    for path in texts.keys() {
        instantiate(path, &texts, &mut hashes, &mut done);
    }
    let mut from_texts = DrvHashes::new(store.clone());
    for path in texts.keys().rev() {
        let hash = from_texts.hash_of(path, &mut |path| Ok(texts[path].clone())).unwrap();
        assert_eq!(Some(hash), hashes.get(path), "{path}");
    }
    for value in values.as_array().unwrap() {
        let path = store.parse(value["drvPath"].as_str().unwrap().as_bytes()).unwrap();
        for (name, out_path) in value["outputs"].as_object().unwrap() {
            assert_eq!(shown_output(&store, &path, &done[&path], name), *out_path, "{path} {name}");
        }
    }
    done.values().filter(|drv| has_same_inputs(drv, &hashes)).count()
}

#[test]
fn generated_derivations_are_the_real_ones() {
    let mut same_inputs = 0;
    for seed in 1..=4 {
        let real = RealStore::new();
        let values = real.eval(&generate(seed * 104_729, 80)).unwrap();
        assert_eq!(values.as_array().unwrap().len(), 80);
        same_inputs += check(&real, &values);
    }
    assert!(same_inputs > 10, "only {same_inputs} have inputs with the same hash");
}

#[test]
fn outputs_of_outputs_are_the_real_ones() {
    let real = RealStore::new();
    let values = real
        .eval(
            br#"let
              d = name: more: derivation ({ inherit name; system = "s"; builder = "b"; } // more);
              text = d "made.drv" {
                __contentAddressed = true; outputHashMode = "text"; outputHashAlgo = "sha256";
              };
              x = builtins.outputOf text.outPath "out";
              y = builtins.outputOf (builtins.outputOf text.outPath "a") "b";
              user = d "user" { inherit x y; };
              last = d "last" { inherit user; };
              discard = builtins.unsafeDiscardStringContext;
            in {
              text = discard text.drvPath;
              x = discard x;
              y = discard y;
              drvs = map (d: { drvPath = discard d.drvPath; outputs.out = discard d.outPath; })
                [ text user last ];
            }"#,
        )
        .unwrap();
    check(&real, &values["drvs"]);

    let text = real.dir().parse(values["text"].as_str().unwrap().as_bytes()).unwrap();
    let out = DownstreamPlaceholder::unknown_ca_output(&text, b"out");
    let of = |placeholder: &_, output: &[u8]| {
        DownstreamPlaceholder::unknown_derivation(placeholder, output)
    };
    assert_eq!(of(&out, b"out").render(), values["x"]);
    assert_eq!(of(&of(&out, b"a"), b"b").render(), values["y"]);

    let user = real.dir().parse(values["drvs"][1]["drvPath"].as_str().unwrap().as_bytes()).unwrap();
    let written = &written(&real)[&user];
    let mut drv = Derivation::parse(&real.dir(), "user", written).unwrap();
    let inputs = std::mem::take(&mut drv.inputs);
    drv.inputs.add_dynamic_output(&text, &[b"out"], b"out");
    drv.inputs.add_dynamic_output(&text, &[b"out", b"a"], b"b");
    assert_eq!(drv.inputs, inputs);
}

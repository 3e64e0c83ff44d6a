//! Names that were perhaps meant.

/// Those of `names` that are near to `name`, nearest first: for "did you mean".
pub fn near_names<'n>(name: &[u8], names: impl Iterator<Item = &'n [u8]>) -> Vec<String> {
    let name = String::from_utf8_lossy(name);
    let mut near: Vec<(usize, String)> = names
        .map(|other| String::from_utf8_lossy(other).into_owned())
        .map(|other| (strsim::damerau_levenshtein(&name, &other), other))
        .filter(|(distance, _)| *distance <= 2)
        .collect();
    near.sort();
    near.truncate(5);
    near.into_iter().map(|(_, name)| name).collect()
}

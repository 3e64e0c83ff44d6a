//! What hosts say that know nothing of `bootstrap.*`: `_module.args.{disk,withSwap,swapSize}`, and
//! `configVars` in the special arguments.

use std::collections::BTreeMap;

use super::decode::{Decoded, Decoder};
use super::model::ArticleArgs;

/// Reads the module arguments and the variables.
pub(super) fn article(args: &Decoder<'_>, vars: &Decoder<'_>) -> Decoded<ArticleArgs> {
    let mut article = ArticleArgs { config_vars: config_vars(vars)?, ..ArticleArgs::default() };
    // Other flakes may call an argument "disk" too; only a string makes it this layout.
    let Some(disk) = args.get("disk")?.filter(Decoder::is_string) else { return Ok(article) };
    article.disk = Some(disk.text()?);
    article.with_swap = args.read_at(&["withSwap"], Decoder::bool)?;
    article.swap_size = args.read_at(&["swapSize"], Decoder::size)?;
    Ok(article)
}

fn config_vars(vars: &Decoder<'_>) -> Decoded<BTreeMap<String, String>> {
    let mut known = BTreeMap::new();
    if let Some(minimal) = vars.read_at(&["isMinimal"], Decoder::bool)? {
        known.insert("isMinimal".to_owned(), minimal.to_string());
    }
    for name in ["persistFolder", "username"] {
        if let Some(text) = vars.read_at(&[name], Decoder::text)? {
            known.insert(name.to_owned(), text);
        }
    }
    Ok(known)
}

//! stub
use crate::eval::{
    Eval,
    error::{Error, Result},
    position::Pos,
};
pub(super) fn search_path_entry(_: &mut Eval<'_>, entry: &[u8], pos: Pos) -> Result<Vec<u8>> {
    Err(Error::evaluation(pos, format!("{entry:?}")))
}

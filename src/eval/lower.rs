//! stub
use super::arena::Arena; use super::code::{Code,NodeId}; use super::position::Base; use super::settings::Settings; use super::value::{Attrs,Value};
use crate::syntax::{Ast,Symbol,Symbols};
use rustc_hash::FxHashMap;
#[derive(Debug,Default)] pub struct Lowering;
pub struct Unit<'u,'a> { pub ast:&'u Ast, pub base: Base, pub dir:&'u [u8], pub globals:&'u FxHashMap<Symbol,Value<'a>>, pub builtins: Attrs<'a>, pub settings:&'u Settings, pub scope: Option<&'u [Symbol]> }
pub struct LowerError { pub offset:u32, pub message:String, pub suggestions:Vec<String> }
pub fn lower<'a>(_l:&mut Lowering,_u:Unit<'_,'a>,_s:&mut Symbols,_a:&'a Arena,_c:&mut Code<'a>)->Result<NodeId,LowerError>{ Err(LowerError{offset:0,message:String::new(),suggestions:vec![]}) }

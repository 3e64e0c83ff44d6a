//! The grammar: tokens to events, with an own stack of open lists and objects.

use super::lexer::{Lexer, Number, Token};
use super::{ReadError, Sink};

/// Reads one document, which must be all there is.
///
/// # Errors
///
/// What [`ReadError`] lists; `sink` has then got the events before it.
pub fn read(text: &[u8], sink: &mut impl Sink) -> Result<(), ReadError> {
    let mut lexer = Lexer::new(text);
    let first = lexer.next();
    Reader { lexer, sink, open: Vec::new() }.document(first)
}

/// What a value is inside of.
#[derive(Clone, Copy)]
enum Open {
    List,
    Object,
}

struct Reader<'t, 's, S> {
    lexer: Lexer<'t>,
    sink: &'s mut S,
    open: Vec<Open>,
}

impl<S: Sink> Reader<'_, '_, S> {
    fn document(&mut self, first: Token) -> Result<(), ReadError> {
        let mut next = Some(first);
        while let Some(token) = next {
            next = match self.value(token)? {
                Some(inner) => Some(inner),
                None => self.after_value()?,
            };
        }
        match self.lexer.next() {
            Token::End => Ok(()),
            other => Err(self.lexer.unexpected(other, "value", "end of input")),
        }
    }

    /// One value, or the start of a list or object: then the token that starts a value inside of it.
    fn value(&mut self, token: Token) -> Result<Option<Token>, ReadError> {
        match token {
            Token::Null => self.sink.null(),
            Token::True => self.sink.bool(true),
            Token::False => self.sink.bool(false),
            Token::Number => match self.lexer.number()? {
                Number::Int(value) => self.sink.int(value),
                Number::Float(value) => self.sink.float(value),
            },
            Token::String => self.sink.string(self.lexer.string()?),
            Token::ListStart => return Ok(self.list()),
            Token::ObjectStart => return self.object(),
            other => return Err(self.lexer.not_a_value(other)),
        }
        Ok(None)
    }

    /// A list that has begun.
    fn list(&mut self) -> Option<Token> {
        self.sink.start_list();
        let token = self.lexer.next();
        if token == Token::ListEnd {
            self.sink.end_list();
            return None;
        }
        self.open.push(Open::List);
        Some(token)
    }

    /// An object that has begun.
    fn object(&mut self) -> Result<Option<Token>, ReadError> {
        self.sink.start_object();
        let token = self.lexer.next();
        if token == Token::ObjectEnd {
            self.sink.end_object();
            return Ok(None);
        }
        self.open.push(Open::Object);
        self.member(token).map(Some)
    }

    /// A name and its colon; gives the token of the value.
    fn member(&mut self, token: Token) -> Result<Token, ReadError> {
        if token != Token::String {
            return Err(self.lexer.unexpected(token, "object key", "string literal"));
        }
        self.sink.key(self.lexer.string()?);
        match self.lexer.next() {
            Token::Colon => Ok(self.lexer.next()),
            other => Err(self.lexer.unexpected(other, "object separator", "':'")),
        }
    }

    /// After a value: closes what ends here, and gives the token of the next value; none at the end.
    fn after_value(&mut self) -> Result<Option<Token>, ReadError> {
        while let Some(&open) = self.open.last() {
            match (open, self.lexer.next()) {
                (Open::List, Token::Comma) => return Ok(Some(self.lexer.next())),
                (Open::Object, Token::Comma) => {
                    let token = self.lexer.next();
                    return self.member(token).map(Some);
                }
                (Open::List, Token::ListEnd) => self.sink.end_list(),
                (Open::Object, Token::ObjectEnd) => self.sink.end_object(),
                (Open::List, other) => return Err(self.lexer.unexpected(other, "array", "']'")),
                (Open::Object, other) => return Err(self.lexer.unexpected(other, "object", "'}'")),
            }
            self.open.pop();
        }
        Ok(None)
    }
}

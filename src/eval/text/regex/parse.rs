//! The grammar of extended regular expressions, as libstdc++ reads it.

use super::RegexError;
use super::bracket;
use super::byte_set::ByteSet;

/// A parsed expression.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// Nothing, as in `()` and `a|`.
    Empty,
    /// One byte of a set.
    Set(ByteSet),
    /// `^`
    Start,
    /// `$`
    End,
    /// A group by number, from 1.
    Group(usize, Box<Node>),
    /// One after the other; never none.
    Concat(Vec<Node>),
    /// Separated by `|`; at least two.
    Alternate(Vec<Node>),
    Repeat(Box<Node>, Times),
}

/// How often something is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// `*`
    Star,
    /// `+`
    Plus,
    /// `?`
    Optional,
    /// `{min,}`
    AtLeast(u32),
    /// `{min}`, `{min,max}`
    Between(u32, u32),
}

impl Times {
    /// The least and, if there is one, the highest number of times.
    pub(super) fn bounds(self) -> (u32, Option<u32>) {
        match self {
            Self::Star => (0, None),
            Self::Plus => (1, None),
            Self::Optional => (0, Some(1)),
            Self::AtLeast(min) => (min, None),
            Self::Between(min, max) => (min, Some(max)),
        }
    }
}

impl Node {
    /// Whether it may match nothing.
    pub(super) fn is_nullable(&self) -> bool {
        match self {
            Self::Empty | Self::Start | Self::End => true,
            Self::Set(_) => false,
            Self::Group(_, inner) => inner.is_nullable(),
            Self::Concat(parts) => parts.iter().all(Self::is_nullable),
            Self::Alternate(branches) => branches.iter().any(Self::is_nullable),
            Self::Repeat(inner, times) => times.bounds().0 == 0 || inner.is_nullable(),
        }
    }

    /// Whether something that may match nothing is repeated without limit. How often libstdc++ then goes
    /// round decides what a group holds.
    pub(super) fn has_empty_loop(&self) -> bool {
        match self {
            Self::Empty | Self::Set(_) | Self::Start | Self::End => false,
            Self::Group(_, inner) => inner.has_empty_loop(),
            Self::Concat(parts) | Self::Alternate(parts) => parts.iter().any(Self::has_empty_loop),
            Self::Repeat(inner, times) => {
                (times.bounds().1.is_none() && inner.is_nullable()) || inner.has_empty_loop()
            }
        }
    }

    /// The bytes that a match may begin with.
    pub(super) fn first_bytes(&self) -> ByteSet {
        match self {
            Self::Empty | Self::Start | Self::End => ByteSet::default(),
            Self::Set(set) => *set,
            Self::Group(_, inner) | Self::Repeat(inner, _) => inner.first_bytes(),
            Self::Alternate(branches) => {
                branches.iter().fold(ByteSet::default(), |all, one| all.union(one.first_bytes()))
            }
            Self::Concat(parts) => {
                let mut first = ByteSet::default();
                for part in parts {
                    first = first.union(part.first_bytes());
                    if !part.is_nullable() {
                        break;
                    }
                }
                first
            }
        }
    }

    /// `.*`
    pub(super) fn is_any_star(&self) -> bool {
        matches!(self, Self::Repeat(inner, Times::Star)
            if matches!(**inner, Self::Set(set) if set == any_byte()))
    }

    /// The byte, if it matches just one.
    pub(super) fn literal(&self) -> Option<u8> {
        match self {
            Self::Set(set) => set.single(),
            _ => None,
        }
    }
}

/// What `.` matches.
pub(super) fn any_byte() -> ByteSet {
    ByteSet::of(0).complement()
}

/// Parses an expression.
pub(super) fn parse(pattern: &[u8]) -> Result<Node, RegexError> {
    let mut parser = Parser { rest: pattern, groups: 0, depth: 0 };
    let tree = parser.alternatives()?;
    // What is left is a `)` too many, or a quantifier with nothing before it.
    if parser.rest.is_empty() { Ok(tree) } else { Err(RegexError::Invalid) }
}

/// Bytes that mean something outside of brackets, and the only ones that may follow a backslash.
const SPECIAL: &[u8] = b".[\\()*+?{|^$";

/// How deep groups and quantifiers may be nested. libstdc++ has no limit but the stack.
const MAX_DEPTH: u32 = 250;

struct Parser<'p> {
    rest: &'p [u8],
    groups: usize,
    depth: u32,
}

impl Parser<'_> {
    fn alternatives(&mut self) -> Result<Node, RegexError> {
        let first = self.sequence()?;
        if self.rest.first() != Some(&b'|') {
            return Ok(first);
        }
        let mut branches = vec![first];
        while self.eat(b'|') {
            branches.push(self.sequence()?);
        }
        Ok(Node::Alternate(branches))
    }

    fn sequence(&mut self) -> Result<Node, RegexError> {
        let mut parts = Vec::new();
        while let Some(part) = self.term()? {
            parts.push(part);
        }
        Ok(match parts.len() {
            0 => Node::Empty,
            1 => parts.swap_remove(0),
            _ => Node::Concat(parts),
        })
    }

    /// An atom with its quantifiers, or an assertion, which can have none; nothing where no term begins.
    fn term(&mut self) -> Result<Option<Node>, RegexError> {
        let Some((&byte, rest)) = self.rest.split_first() else { return Ok(None) };
        if matches!(byte, b')' | b'|' | b'*' | b'+' | b'?' | b'{') {
            return Ok(None);
        }
        self.rest = rest;
        let atom = match byte {
            b'^' => return Ok(Some(Node::Start)),
            b'$' => return Ok(Some(Node::End)),
            b'.' => Node::Set(any_byte()),
            b'[' => Node::Set(bracket::parse(&mut self.rest)?),
            b'(' => self.group()?,
            b'\\' => Node::Set(ByteSet::of(self.escaped()?)),
            0 => return Err(RegexError::Invalid),
            _ => Node::Set(ByteSet::of(byte)),
        };
        self.quantified(atom).map(Some)
    }

    fn group(&mut self) -> Result<Node, RegexError> {
        self.groups += 1;
        let number = self.groups;
        self.deeper()?;
        let inner = self.alternatives()?;
        self.depth -= 1;
        if self.eat(b')') {
            Ok(Node::Group(number, Box::new(inner)))
        } else {
            Err(RegexError::Invalid)
        }
    }

    fn escaped(&mut self) -> Result<u8, RegexError> {
        match self.rest.split_first() {
            Some((&byte, rest)) if SPECIAL.contains(&byte) => {
                self.rest = rest;
                Ok(byte)
            }
            _ => Err(RegexError::Invalid),
        }
    }

    /// The quantifiers after an atom; several apply one after the other.
    fn quantified(&mut self, atom: Node) -> Result<Node, RegexError> {
        let mut node = atom;
        let outside = self.depth;
        loop {
            let times = if self.eat(b'*') {
                Times::Star
            } else if self.eat(b'+') {
                Times::Plus
            } else if self.eat(b'?') {
                Times::Optional
            } else if self.eat(b'{') {
                self.interval()?
            } else {
                self.depth = outside;
                return Ok(node);
            };
            self.deeper()?;
            node = Node::Repeat(Box::new(node), times);
        }
    }

    /// `min}`, `min,}` or `min,max}`
    fn interval(&mut self) -> Result<Times, RegexError> {
        let min = self.number()?;
        let times = if !self.eat(b',') {
            Times::Between(min, min)
        } else if self.rest.first().is_some_and(u8::is_ascii_digit) {
            Times::Between(min, self.number()?)
        } else {
            Times::AtLeast(min)
        };
        let ordered = times.bounds().1.is_none_or(|max| min <= max);
        if ordered && self.eat(b'}') { Ok(times) } else { Err(RegexError::Invalid) }
    }

    /// Digits, at least one; together no more than a C `int` holds.
    fn number(&mut self) -> Result<u32, RegexError> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(length);
        self.rest = rest;
        let number: Option<i32> =
            std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok());
        number.and_then(|number| u32::try_from(number).ok()).ok_or(RegexError::Invalid)
    }

    fn deeper(&mut self) -> Result<(), RegexError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH { Err(RegexError::TooBig) } else { Ok(()) }
    }

    fn eat(&mut self, byte: u8) -> bool {
        match self.rest.split_first() {
            Some((&first, rest)) if first == byte => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}

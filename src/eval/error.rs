//! Why an evaluation failed, as plain data: what is wrong, where, and on the way to what. Rendering is
//! in `report`.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use super::position::Pos;

/// The result of an evaluation.
pub type Result<T> = std::result::Result<T, Error>;

/// What kind of failure it is, which decides whether `tryEval` catches it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// `throw`
    Throw,
    /// `assert`
    Assertion,
    /// A `<name>` that is not in the search path.
    NotInSearchPath,
    /// `abort`
    Abort,
    /// A value of another type than was wanted.
    Type,
    /// A variable that no `with` has.
    UndefinedVariable,
    /// An attribute that a set does not have.
    MissingAttribute,
    /// A value that needs itself.
    InfiniteRecursion,
    /// Calls or values that are nested too deeply.
    StackOverflow,
    /// Values that need more memory than `max_memory`.
    OutOfMemory,
    /// A source that is no Nix expression.
    Parse,
    /// The outside said no: a file that is not there, a forbidden path, a failed fetch.
    Io,
    /// Something that pure or restricted evaluation forbids.
    Restricted,
    /// Ctrl-C, or a limit of the caller's.
    Interrupted,
    /// All else.
    Evaluation,
}

impl ErrorKind {
    /// Does `tryEval` catch it? (Nix manual, `builtins.tryEval`.)
    #[must_use]
    pub fn is_catchable(self) -> bool {
        matches!(self, Self::Throw | Self::Assertion | Self::NotInSearchPath)
    }
}

/// A step on the way to the failure.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Where.
    pub pos: Pos,
    /// What was going on: `while evaluating the attribute 'x'`.
    pub message: Cow<'static, str>,
    /// Was it added by `addErrorContext`? Those are always shown.
    pub custom: bool,
}

/// A failed evaluation. One pointer, since results are returned everywhere. A copy costs little, since every value
/// on the way keeps one.
#[derive(Clone)]
pub struct Error(Box<ErrorData>);

/// What an [`Error`] knows.
#[derive(Debug, Clone)]
pub struct ErrorData {
    /// What kind of failure.
    pub kind: ErrorKind,
    /// What is wrong.
    pub message: Rc<str>,
    /// Where it was noticed.
    pub pos: Pos,
    /// Names that may have been meant.
    pub suggestions: Vec<String>,
    /// The way there.
    pub traces: Traces,
}

/// Steps on the way to a failure. What several failures have in common of it is there once.
#[derive(Debug, Clone, Default)]
pub struct Traces(Option<Rc<Step>>);

/// The outermost step, and those within.
#[derive(Debug)]
struct Step {
    trace: Trace,
    inner: Traces,
    len: usize,
}

impl Traces {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |step| step.len)
    }

    /// Is there none?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The steps, the innermost first.
    #[must_use]
    pub fn innermost_first(&self) -> Vec<&Trace> {
        let mut all = Vec::with_capacity(self.len());
        let mut steps = self;
        while let Some(step) = &steps.0 {
            all.push(&step.trace);
            steps = &step.inner;
        }
        all.reverse();
        all
    }

    fn push(&mut self, trace: Trace) {
        let inner = std::mem::take(self);
        let len = inner.len() + 1;
        self.0 = Some(Rc::new(Step { trace, inner, len }));
    }
}

impl Drop for Traces {
    /// One after the other: there may be more than the stack has room for.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(mut step) = next.and_then(Rc::into_inner) {
            next = step.inner.0.take();
        }
    }
}

/// No more steps than this are kept of one failure: an overflow has ten thousand.
const MOST_TRACES: usize = 1000;

impl Error {
    /// A failure at `pos`.
    #[cold]
    pub fn new(kind: ErrorKind, pos: Pos, message: impl Into<String>) -> Self {
        let message = message.into().into();
        let (suggestions, traces) = (Vec::new(), Traces::default());
        Self(Box::new(ErrorData { kind, message, pos, suggestions, traces }))
    }

    /// A value of the wrong type.
    #[cold]
    pub fn type_error(pos: Pos, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Type, pos, message)
    }

    /// A set that lacks an attribute.
    #[cold]
    #[must_use]
    pub fn missing_attribute(pos: Pos, name: &str) -> Self {
        Self::new(ErrorKind::MissingAttribute, pos, format!("attribute '{name}' missing"))
    }

    /// A failure that has no kind of its own.
    #[cold]
    pub fn evaluation(pos: Pos, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Evaluation, pos, message)
    }

    /// With a step further out on the way to it.
    #[cold]
    #[must_use]
    pub fn while_(mut self, pos: Pos, message: impl Into<Cow<'static, str>>) -> Self {
        if self.0.traces.len() < MOST_TRACES {
            self.0.traces.push(Trace { pos, message: message.into(), custom: false });
        }
        self
    }

    /// With a step that the program added by `addErrorContext`.
    #[cold]
    #[must_use]
    pub fn with_context(mut self, pos: Pos, message: String) -> Self {
        self.0.traces.push(Trace { pos, message: message.into(), custom: true });
        self
    }

    /// With names that may have been meant.
    #[cold]
    #[must_use]
    pub fn suggesting(mut self, suggestions: Vec<String>) -> Self {
        self.0.suggestions = suggestions;
        self
    }

    /// At `pos`, if it has no place yet.
    #[cold]
    #[must_use]
    pub fn or_at(mut self, pos: Pos) -> Self {
        if self.0.pos.is_none() {
            self.0.pos = pos;
        }
        self
    }

    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Does it say nothing of the expression? What was stopped may go well the next time.
    #[must_use]
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.kind(), ErrorKind::Interrupted | ErrorKind::OutOfMemory)
    }

    /// All that is known.
    #[must_use]
    pub fn data(&self) -> &ErrorData {
        &self.0
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

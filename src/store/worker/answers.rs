//! What a store answers: first what it wants told while it works, then that it is done or its error, then the
//! result.

use std::io::{BufReader, Read};

use super::error::WorkerError;
use crate::store::wire::read_number;

/// The answers of a store.
#[derive(Debug)]
pub(super) struct Answers<R> {
    input: BufReader<R>,
    remarks: Vec<String>,
}

/// Messages before the result.
const NEXT: u64 = 0x6f6c_6d67;
const LAST: u64 = 0x616c_7473;
const ERROR: u64 = 0x6378_7470;
const START_ACTIVITY: u64 = 0x5354_5254;
const STOP_ACTIVITY: u64 = 0x5354_4f50;
const RESULT: u64 = 0x5253_4c54;

/// A longer string is not believed.
const LONGEST: u64 = 1 << 26;
/// More steps of an error than anybody reads.
const MOST_TRACES: u64 = 1 << 16;
/// So many remarks are kept: the last ones.
const MOST_REMARKS: usize = 100;

impl<R: Read> Answers<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input: BufReader::new(input), remarks: Vec::new() }
    }

    pub(super) fn number(&mut self) -> Result<u64, WorkerError> {
        Ok(read_number(&mut self.input)?)
    }

    pub(super) fn bytes(&mut self) -> Result<Vec<u8>, WorkerError> {
        let len = self.number()?;
        if len > LONGEST {
            return Err(WorkerError::Odd(format!("a string of {len} bytes")));
        }
        let mut text = Vec::new();
        let padded = len.next_multiple_of(8);
        if self.input.by_ref().take(padded).read_to_end(&mut text)? as u64 != padded {
            return Err(WorkerError::Ended);
        }
        text.truncate(usize::try_from(len).unwrap_or(0));
        Ok(text)
    }

    pub(super) fn text(&mut self) -> Result<String, WorkerError> {
        Ok(String::from_utf8_lossy(&self.bytes()?).into_owned())
    }

    /// Reads all that comes before the result.
    pub(super) fn end(&mut self) -> Result<(), WorkerError> {
        loop {
            match self.number()? {
                LAST => return Ok(()),
                ERROR => return Err(self.error()?),
                NEXT => {
                    let remark = self.text()?;
                    if self.remarks.len() == MOST_REMARKS {
                        self.remarks.remove(0);
                    }
                    self.remarks.push(remark.trim_end().to_owned());
                }
                START_ACTIVITY => {
                    let (_id, _level, _kind) = (self.number()?, self.number()?, self.number()?);
                    self.bytes()?;
                    self.fields()?;
                    self.number()?;
                }
                STOP_ACTIVITY => _ = self.number()?,
                RESULT => {
                    let (_id, _kind) = (self.number()?, self.number()?);
                    self.fields()?;
                }
                other => return Err(WorkerError::Odd(format!("message {other:#x}"))),
            }
        }
    }

    pub(super) fn remarks(&mut self) -> Vec<String> {
        std::mem::take(&mut self.remarks)
    }

    /// Fields of an activity: numbers and strings.
    fn fields(&mut self) -> Result<(), WorkerError> {
        for _ in 0..self.number()? {
            match self.number()? {
                0 => _ = self.number()?,
                1 => _ = self.bytes()?,
                kind => return Err(WorkerError::Odd(format!("a field of kind {kind}"))),
            }
        }
        Ok(())
    }

    /// An error: its message, and the steps that led to it.
    fn error(&mut self) -> Result<WorkerError, WorkerError> {
        let no_place = |number| match number {
            0 => Ok(()),
            _ => Err(WorkerError::Odd("an error with a place".to_owned())),
        };
        self.bytes()?;
        self.number()?;
        self.bytes()?;
        let message = self.text()?;
        no_place(self.number()?)?;
        let traces = self.number()?;
        if traces > MOST_TRACES {
            return Err(WorkerError::Odd(format!("an error with {traces} steps")));
        }
        for _ in 0..traces {
            no_place(self.number()?)?;
            self.bytes()?;
        }
        Ok(WorkerError::Store(message))
    }
}

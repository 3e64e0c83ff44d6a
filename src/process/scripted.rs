//! A [`Runner`] for tests: answers prepared beforehand, commands remembered.

use std::sync::Mutex;

use async_trait::async_trait;

use super::{Command, Error, Line, LineSink, Output, Runner, Stream};

/// Decides what a scripted command answers; `None` leaves it to the next rule.
type Rule = Box<dyn Fn(&Command) -> Option<Output> + Send + Sync>;

/// Answers commands by rules, the first that fits; a command that no rule fits fails with code 127.
#[derive(Default)]
pub struct Scripted {
    rules: Vec<Rule>,
    seen: Mutex<Vec<Command>>,
}

impl Scripted {
    /// A runner without rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rule.
    #[must_use]
    pub fn rule(
        mut self,
        rule: impl Fn(&Command) -> Option<Output> + Send + Sync + 'static,
    ) -> Self {
        self.rules.push(Box::new(rule));
        self
    }

    /// Answers every command whose shown form contains `part` with `code` and `stdout`.
    #[must_use]
    pub fn when(self, part: &str, code: i32, stdout: &str) -> Self {
        let (part, stdout) = (part.to_owned(), stdout.as_bytes().to_vec());
        self.rule(move |command| {
            command.to_string().contains(&part).then(|| Output {
                code: Some(code),
                stdout: stdout.clone(),
                stderr: Vec::new(),
            })
        })
    }

    /// The commands that were run, as typed, in order.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        seen.iter().map(ToString::to_string).collect()
    }
}

#[async_trait]
impl Runner for Scripted {
    async fn stream(&self, command: &Command, sink: &mut LineSink<'_>) -> Result<Output, Error> {
        self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(command.clone());
        let answer = self.rules.iter().find_map(|rule| rule(command));
        let output = answer.unwrap_or_else(|| Output {
            code: Some(127),
            stdout: Vec::new(),
            stderr: format!("no scripted answer for: {command}").into_bytes(),
        });
        for (stream, bytes) in [(Stream::Stdout, &output.stdout), (Stream::Stderr, &output.stderr)]
        {
            for text in String::from_utf8_lossy(bytes).lines() {
                sink(Line { stream, text });
            }
        }
        Ok(output)
    }
}

//! The evaluation itself, on the thread that it has for itself.

use std::mem::ManuallyDrop;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Args;
use super::options::{Argument, Chosen};
use super::source::{Source, Wanted, bytes, stdin};
use crate::cli::error::CliError;
use crate::cli::output::{Output, print_bytes};
use crate::eval::arena::Arena;
use crate::eval::derivations::Found;
use crate::eval::error::{Error, ErrorKind};
use crate::eval::io::RealIo;
use crate::eval::position::{Origin, Pos};
use crate::eval::print::json::to_json;
use crate::eval::print::xml::{XmlOptions, to_xml};
use crate::eval::print::{ShowOptions, print, show};
use crate::eval::report::{ReportOptions, render};
use crate::eval::value::{Attrs, AttrsBuilder, Context, Value};
use crate::eval::{Coercion, Eval};
use crate::flake::installable::select;
use crate::flake::{Flakes, OpenOptions, Run, Surroundings};
use crate::instantiate::{EarlyWriter, InstantiateError, RealStore};
use crate::process::Runner;
use crate::process::nix::Nix;
use crate::store::StoreDir;
use crate::ui::StoreBar;

/// What is to be done.
pub(super) struct Job {
    wanted: Wanted,
    apply: Option<Vec<u8>>,
    form: Form,
    strict: bool,
    chosen: Chosen,
    report: ReportOptions,
    io: RealIo,
    store: Arc<RealStore>,
    run: Arc<Run>,
}

/// How values are printed.
#[derive(Clone, Copy)]
enum Form {
    Plain,
    Json,
    Raw,
    Xml {
        location: bool,
    },
    /// The paths of derivations, which are written to the store before.
    Derivations,
}

/// How it ended.
pub(super) enum Ended {
    /// All is printed.
    Printed,
    /// The evaluation failed: its report.
    Failed(String),
    /// The user has stopped it.
    Interrupted,
    /// Something else than the evaluation failed.
    Wrong(CliError),
}

/// Why a job ended early.
enum Failure {
    Evaluation(Error),
    Other(CliError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Evaluation(error)
    }
}

impl From<CliError> for Failure {
    fn from(error: CliError) -> Self {
        Self::Other(error)
    }
}

impl From<InstantiateError> for Failure {
    fn from(error: InstantiateError) -> Self {
        if error.is_cancelled() {
            let message = "interrupted by the user";
            return Self::Evaluation(Error::new(ErrorKind::Interrupted, Pos::NONE, message));
        }
        let told = CliError::failed(error.to_string());
        Self::Other(match error.hint() {
            Some(hint) => told.hint(hint),
            None => told,
        })
    }
}

fn form(args: &Args) -> Form {
    if args.instantiate {
        return Form::Derivations;
    }
    match (args.json, args.raw, args.xml) {
        (true, ..) => Form::Json,
        (_, true, _) => Form::Raw,
        (.., true) => Form::Xml { location: !args.no_location },
        _ => Form::Plain,
    }
}

impl Job {
    /// Checks the arguments. `stop` interrupts the evaluation, for which `runner` runs programs.
    pub(super) fn new(
        args: Args,
        output: &Output,
        stop: Arc<AtomicBool>,
        runner: Arc<dyn Runner>,
    ) -> Result<Self, CliError> {
        let wanted = Wanted::new(&args)?;
        let form = form(&args);
        let colour = console::colors_enabled_stderr();
        let columns = console::Term::stderr().size_checked().map(|(_, columns)| columns);
        let width = columns.map_or(ReportOptions::default().width, usize::from).max(40);
        let mut chosen = args.options.choose()?;
        if wanted.sources.iter().any(|source| matches!(source, Source::Flake(_))) {
            chosen.for_flakes();
        }
        let show_trace = chosen.show_trace;
        let dir = StoreDir::new(&chosen.settings.store_dir)
            .map_err(|error| CliError::usage(error.to_string()))?;
        let watcher = Box::new(StoreBar::new(output.live));
        let store = Arc::new(RealStore::new(runner.clone(), Nix::default(), dir, watcher));
        let io = super::real_io(runner.clone(), store.clone()).stopped_by(stop);
        let run = super::programs(runner);
        Ok(Self {
            wanted,
            apply: args.apply.map(bytes),
            form,
            strict: args.strict,
            chosen,
            report: ReportOptions { colour, show_trace, width },
            io,
            run,
            store,
        })
    }

    /// Evaluates and prints.
    pub(super) fn run(self) -> Ended {
        // The process ends right behind this, so nothing is given back piece by piece.
        let arena: &'static Arena = Box::leak(Box::new(Arena::new()));
        let settings = self.chosen.settings;
        let around = Surroundings {
            base: settings.working_dir.clone(),
            store_dir: settings.store_dir.clone(),
            cache: cache_dir(),
        };
        let flakes: &'static Flakes =
            Box::leak(Box::new(Flakes::new(Rc::new(self.io), self.run, around)));
        let mut eval = ManuallyDrop::new(Eval::new(arena, flakes, settings));
        eval.flakes = Some(flakes);
        let options = OpenOptions { override_inputs: self.chosen.override_inputs };
        let early = match self.form {
            Form::Derivations => EarlyWriter::start(self.store.clone(), &mut eval.store, flakes),
            _ => None,
        };
        let mut run = Running {
            dir: eval.settings.working_dir.clone(),
            early,
            eval: &mut eval,
            flakes,
            options,
            form: self.form,
            strict: self.strict,
            store: &self.store,
        };
        match run.all(&self.wanted, self.apply.as_deref(), &self.chosen.arguments) {
            Ok(()) => Ended::Printed,
            Err(Failure::Other(error)) => Ended::Wrong(error),
            Err(Failure::Evaluation(error)) if error.kind() == ErrorKind::Interrupted => {
                Ended::Interrupted
            }
            Err(Failure::Evaluation(error)) => {
                Ended::Failed(render(error.data(), &eval.sources, self.report))
            }
        }
    }
}

/// A job that is being done.
struct Running<'r, 'a> {
    eval: &'r mut Eval<'a>,
    flakes: &'r Flakes,
    options: OpenOptions,
    /// Where relative paths of expressions start.
    dir: Vec<u8>,
    form: Form,
    strict: bool,
    store: &'r RealStore,
    /// Who writes to the store before all is evaluated.
    early: Option<EarlyWriter>,
}

impl<'a> Running<'_, 'a> {
    fn all(
        &mut self,
        wanted: &Wanted,
        apply: Option<&[u8]>,
        arguments: &[(Vec<u8>, Argument)],
    ) -> Result<(), Failure> {
        let arguments = self.arguments(arguments)?;
        let mut derivations = Vec::new();
        for source in &wanted.sources {
            let whole = self.evaluate(source)?;
            for path in &wanted.paths {
                let mut value = self.eval.pick(whole, path, arguments)?;
                if matches!(self.form, Form::Derivations) {
                    let value = self.applied(value, apply)?;
                    derivations.extend(self.eval.derivations(value, arguments)?);
                    continue;
                }
                if !arguments.is_empty() {
                    value = self.eval.call_with(value, arguments)?;
                }
                let value = self.applied(value, apply)?;
                let text = match source {
                    Source::Flake(_) => self.flake_text(value)?,
                    _ => self.text(value)?,
                };
                print_bytes(&text)?;
            }
        }
        self.instantiate(&derivations)
    }

    /// What the function of `--apply` makes of a value.
    fn applied(&mut self, value: Value<'a>, apply: Option<&[u8]>) -> Result<Value<'a>, Error> {
        let Some(function) = apply else { return Ok(value) };
        let function = self.eval.eval_string(function, &self.dir, Origin::String)?;
        self.eval.call(function, &[value], Pos::NONE)
    }

    /// Writes derivations to the store and prints their paths, as nix-instantiate does.
    fn instantiate(&mut self, derivations: &[Found]) -> Result<(), Failure> {
        if derivations.is_empty() {
            return Ok(());
        }
        let roots: Vec<_> = derivations.iter().map(|found| found.path.clone()).collect();
        if let Some(early) = self.early.take() {
            early.finish(&mut self.eval.store);
        }
        self.store.write(&self.eval.store, self.eval.io, &roots)?;
        let mut text = Vec::new();
        for Found { path, output } in derivations {
            self.eval.store.dir().push_absolute(path, &mut text);
            if **output != *b"out" {
                text.push(b'!');
                text.extend_from_slice(output);
            }
            text.push(b'\n');
        }
        Ok(print_bytes(&text)?)
    }

    /// The set of the arguments, which are not evaluated yet.
    fn arguments(&mut self, arguments: &[(Vec<u8>, Argument)]) -> Result<Attrs<'a>, Error> {
        let mut set = AttrsBuilder::default();
        for (name, argument) in arguments {
            let name = self.eval.symbols.intern(name);
            let value = match argument {
                Argument::String(text) => self.eval.string(text),
                Argument::Expression(text) => self.eval.delayed(text, &self.dir, Origin::String)?,
            };
            set.add(name, value);
        }
        Ok(set.build(self.eval.arena))
    }

    fn evaluate(&mut self, source: &Source) -> Result<Value<'a>, Failure> {
        Ok(match source {
            Source::Expression(text) => self.eval.eval_string(text, &self.dir, Origin::String)?,
            Source::Lookup(text) => {
                let path = self.eval.eval_string(text, &self.dir, Origin::String)?;
                let what = "while looking for the file to evaluate";
                let (path, _) = self.eval.coerce_to_path(path, Pos::NONE, what)?;
                self.eval.import_file(path.items(), Pos::NONE)?
            }
            Source::File(path) => {
                let path = crate::eval::text::path::join(&self.dir, path);
                self.eval.import_file(&path, Pos::NONE)?
            }
            Source::Flake(reference) => {
                let (opened, fragment) =
                    self.flakes.open(reference, &self.options).map_err(CliError::from)?;
                let outputs = opened.outputs(self.eval)?;
                select(self.eval, outputs, &fragment, opened.name())?
            }
            Source::Stdin => {
                let text = stdin().map_err(|error| {
                    CliError::failed(format!("could not read standard input: {error}"))
                })?;
                self.eval.eval_string(&text, &self.dir, Origin::Stdin)?
            }
        })
    }

    /// What is printed of a flake's value: what `nix eval` prints.
    fn flake_text(&mut self, value: Value<'a>) -> Result<Vec<u8>, Error> {
        let mut out = Vec::new();
        let mut context = Context::NONE;
        match self.form {
            Form::Plain => {
                show(self.eval, value, ShowOptions::EVAL, &mut out)?;
                out.push(b'\n');
            }
            Form::Json => {
                to_json(self.eval, value, Pos::NONE, true, &mut out, &mut context)?;
                out.push(b'\n');
            }
            Form::Raw => {
                let what = "while generating the eval command output";
                let how = Coercion::INTERPOLATION;
                out = self.eval.coerce(value, Pos::NONE, how, what)?.0.items().to_vec();
            }
            Form::Xml { .. } | Form::Derivations => return self.text(value),
        }
        Ok(out)
    }

    /// What is printed of a value.
    fn text(&mut self, value: Value<'a>) -> Result<Vec<u8>, Error> {
        let mut context = Context::NONE;
        let mut out = Vec::new();
        match self.form {
            Form::Plain => {
                print(self.eval, value, self.strict, &mut out)?;
                out.push(b'\n');
            }
            Form::Json => {
                to_json(self.eval, value, Pos::NONE, self.strict, &mut out, &mut context)?;
                out.push(b'\n');
            }
            Form::Raw => {
                let what = "while generating the nix-instantiate output";
                let how = Coercion::INTERPOLATION;
                out = self.eval.coerce(value, Pos::NONE, how, what)?.0.items().to_vec();
            }
            Form::Xml { location } => {
                let options = XmlOptions { strict: self.strict, location };
                out = to_xml(self.eval, value, Pos::NONE, options, &mut context)?;
            }
            // Printed once all are written.
            Form::Derivations => {}
        }
        Ok(out)
    }
}

/// Where this program remembers things between runs.
fn cache_dir() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty());
    let cache =
        set.map(PathBuf::from).or_else(|| std::env::home_dir().map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("nixos-bootstrap"))
}

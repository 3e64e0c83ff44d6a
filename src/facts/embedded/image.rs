//! The derivation of an installer image, found by the evaluator inside this program.

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::message::{refused, told};
use super::place::{Place, Voice};
use super::{EmbeddedEvaluator, Setup, ended_early};
use crate::eval::Eval;
use crate::eval::arena::Arena;
use crate::eval::error::{Error, Result as Evaluated};
use crate::eval::position::{Origin, Pos};
use crate::eval::print::json::to_json;
use crate::eval::settings::Settings;
use crate::eval::thread::spawn;
use crate::eval::value::Context;
use crate::facts::evaluator::EvalError;
use crate::facts::image::{IMAGE_NIX, Image, Images, decode, nothing_asked};
use crate::flake::Opened;
use crate::flake::installable::look_up;

#[async_trait]
impl Images for EmbeddedEvaluator {
    async fn image(&self, flake: &str, attrs: &[&str]) -> Result<Image, EvalError> {
        let (sender, receiver) = oneshot::channel();
        let (setup, flake) = (self.setup.clone(), flake.to_owned());
        let attrs: Vec<String> = attrs.iter().map(ToString::to_string).collect();
        spawn(move || {
            // Nobody listens any more if the user did not want to wait.
            let _ = sender.send(image(&setup, &flake, &attrs));
        })
        .map_err(|error| EvalError::NoThread { reason: error.to_string() })?;
        self.wait_for(async { receiver.await.unwrap_or_else(|_| Err(ended_early())) }).await
    }
}

/// One evaluation, on a thread of its own.
fn image(setup: &Setup, flake: &str, attrs: &[String]) -> Result<Image, EvalError> {
    let place = Place::new(setup, Voice::Loud);
    let opened = place.open(&setup.override_inputs, flake)?;
    let arena = Arena::new();
    let settings = Settings { share_sets: true, ..setup.settings.clone() };
    let mut eval = Eval::new(&arena, &place.flakes, settings);
    eval.flakes = Some(&place.flakes);
    let found = find(&mut eval, &opened, attrs);
    opened.show_folders(&mut eval);
    let image = match found {
        Ok(Found::Value { attr, json }) => decode(flake, &attr, &json)?,
        Ok(Found::Nothing(None)) => return Err(nothing_asked()),
        Ok(Found::Nothing(Some(missing))) => {
            let message = told(missing.data(), &eval.sources);
            return Err(EvalError::NoSuchOutput { message });
        }
        Err(error) => return Err(refused(error.data(), &eval.sources)),
    };
    let drv = setup.store.dir().parse(image.drv_path.as_bytes());
    let drv = drv.map_err(|error| EvalError::NotJson { reason: error.to_string() })?;
    setup.store.write(&eval.store, eval.io, &[drv])?;
    Ok(image)
}

/// What of the attributes is there.
enum Found {
    /// The first of them, and what the function gives for it.
    Value { attr: String, json: Vec<u8> },
    /// None; what is said of the first that is missing.
    Nothing(Option<Error>),
}

fn find(eval: &mut Eval<'_>, opened: &Opened, attrs: &[String]) -> Evaluated<Found> {
    let outputs = opened.outputs(eval)?;
    let mut missing = None;
    for attr in attrs {
        let value = match look_up(eval, outputs, attr.as_bytes(), opened.name())? {
            Ok(value) => value,
            Err(error) => {
                missing = missing.or(Some(error));
                continue;
            }
        };
        let function = eval.eval_string(IMAGE_NIX.as_bytes(), b"/", Origin::String)?;
        let paths = eval.call(function, &[value], Pos::NONE)?;
        let (mut json, mut context) = (Vec::new(), Context::NONE);
        to_json(eval, paths, Pos::NONE, true, &mut json, &mut context)?;
        return Ok(Found::Value { attr: attr.clone(), json });
    }
    Ok(Found::Nothing(missing))
}

//! Checks and compiles `result`.

use crate::action::Builder;
use crate::outcome::jq::Jq;
use crate::outcome::shape::Shape;
use crate::spec::model;
use crate::spec::{Code, Diagnostic};
use crate::template::Template;

/// Compiles a `result`, or the shape that changes nothing. The names of `text` are the answer's own and not
/// known before a call.
pub fn compile(written: Option<&model::Shape>, builder: &mut Builder<'_>) -> Option<Shape> {
    let Some(written) = written else { return Some(Shape::default()) };
    let mut shape = Shape { form: written.form.as_ref().map(|f| f.value), ..Shape::default() };
    let mut sound = true;
    if let Some(program) = &written.jq {
        match Jq::compile(program, &[]) {
            Ok(jq) => shape.jq = Some(jq),
            Err(faults) => {
                sound = false;
                let found = faults.into_iter().map(|fault| Diagnostic::fault(Code::BadJq, program, fault));
                found.for_each(|d| builder.sink.push(d));
            }
        }
    }
    if let Some(text) = &written.text {
        match Template::compile(text, builder.partials) {
            Ok(template) => shape.text = Some(template),
            Err(faults) => {
                sound = false;
                let found = faults.into_iter().map(|fault| Diagnostic::fault(Code::BadTemplate, text, fault));
                found.for_each(|d| builder.sink.push(d));
            }
        }
    }
    sound.then_some(shape)
}

//! Checks and compiles `result`.

use crate::action::Builder;
use crate::outcome::formats::{Columns, Format};
use crate::outcome::jq::Jq;
use crate::outcome::shape::{Form, Shape};
use crate::spec::model::{self, FormWord};
use crate::spec::{Code, Diagnostic};
use crate::template::Template;

/// Compiles a `result`, or the shape that changes nothing. The names of `text` are the answer's own and not
/// known before a call.
pub fn compile(written: Option<&model::Shape>, builder: &mut Builder<'_>) -> Option<Shape> {
    let Some(written) = written else { return Some(Shape::default()) };
    let form = written.form.as_ref().map(|written| form(written, builder));
    let mut sound = form.as_ref().is_none_or(Option::is_some);
    let mut shape = Shape { form: form.flatten(), ..Shape::default() };
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

fn form(written: &model::Form, builder: &mut Builder<'_>) -> Option<Form> {
    let word = match written {
        model::Form::Word(word) => *word,
        model::Form::Columns(pattern) => {
            return match Columns::new(pattern) {
                Ok(columns) => Some(Form::Format(Format::Columns(columns))),
                Err(why) => {
                    let found = Diagnostic::error(Code::BadValue, pattern.span, "this pattern can't make columns");
                    builder.sink.push(found.label(why));
                    None
                }
            };
        }
    };
    Some(match word {
        FormWord::Json => Form::Format(Format::Json),
        FormWord::Ndjson => Form::Format(Format::Ndjson),
        FormWord::Text => Form::Format(Format::Text),
        FormWord::Lines => Form::Format(Format::Lines),
        FormWord::Csv => Form::Format(Format::Csv),
        FormWord::Tsv => Form::Format(Format::Tsv),
        FormWord::Table => Form::Format(Format::Table),
        FormWord::Xml => Form::Format(Format::Xml),
        FormWord::Markdown => Form::Format(Format::Markdown),
        FormWord::Image => Form::Media("image"),
        FormWord::Audio => Form::Media("audio"),
    })
}

//! What an argument may be completed to.

use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};

use super::{Context, answers, silent};
use crate::catalog::completion::Completed;
use crate::serve::Handler;

impl Handler {
    /// Answers `completion/complete`.
    pub(super) async fn completion(
        &self,
        request: CompleteRequestParams,
        context: Context,
    ) -> Result<CompleteResult, ErrorData> {
        let catalog = self.current();
        let invalid = |words: String| ErrorData::invalid_params(words, None);
        let name = &request.argument.name;
        let (params, completion) = match &request.r#ref {
            Reference::Prompt(of) => {
                let unknown = || invalid(format!("there is no prompt `{}`", of.name));
                let prompt = catalog.prompt(&of.name).ok_or_else(unknown)?;
                (prompt.parameters(), prompt.completion(name))
            }
            Reference::Resource(of) => {
                let unknown = || invalid(format!("there is no resource template `{}`", of.uri));
                let resource = catalog.resources().find(|r| r.uri() == of.uri).ok_or_else(unknown)?;
                (resource.parameters(), resource.completion(name))
            }
            _ => return Err(invalid("only prompts and resource templates are completed".to_owned())),
        };
        let others = request.context.and_then(|c| c.arguments).unwrap_or_default();
        let others = others.into_iter().map(|(name, text)| (name, text.into())).collect();
        let completed = match completion {
            Some(completion) => {
                let completed = completion.complete(&request.argument.value, others, params, &silent(&context)).await;
                completed.map_err(|error| answers::failure(error, "completion/complete", None))?
            }
            None => Completed { total: Some(0), ..Completed::default() },
        };
        let mut info = CompletionInfo::new(completed.values).map_err(|why| ErrorData::internal_error(why, None))?;
        info.total = completed.total.and_then(|total| u32::try_from(total).ok());
        info.has_more = Some(completed.more);
        let mut result = CompleteResult::new(info);
        result.meta = answers::meta(&catalog, &context);
        Ok(result)
    }
}

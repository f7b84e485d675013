//! Web pages that a server sends the user to.

use rmcp::model::ErrorData;
use serde_json::Value;

use super::questions::{MOST_QUESTIONS, ask, elicitation};
use crate::action::Call;
use crate::action::call::Input;
use crate::outcome::ActionError;

/// Characters that the address of a web page may have.
const MAX_URL: usize = 4096;
/// The error of a server of 2025-11-25 whose user has to go to a web page first.
const VISIT_FIRST: i32 = -32042;

/// Sends the user to the web pages that a server of 2025-11-25 wants to have visited before it does what it is asked.
/// Any other error is passed over.
///
/// # Errors
/// What the caller has to do, or why the user can't be sent there.
pub async fn first(name: &str, error: &ErrorData, call: &Call) -> Result<(), ActionError> {
    if error.code.0 != VISIT_FIRST {
        return Ok(());
    }
    let here = call.within("visit");
    if let Some(Value::Bool(agreed)) = here.recall() {
        return Err(sent(name, agreed));
    }
    let pages = error.data.as_ref().and_then(|data| data.get("elicitations")?.as_array().cloned()).unwrap_or_default();
    if pages.is_empty() || pages.len() > MOST_QUESTIONS {
        return Ok(());
    }
    let mut inputs = Vec::with_capacity(pages.len());
    for (number, page) in pages.into_iter().enumerate() {
        let page = serde_json::from_value(page).map_err(|_| "it sends the user to a page that is none");
        let request =
            page.and_then(elicitation).map_err(|why| ActionError::failed(format!("the server `{name}`: {why}")))?;
        inputs.push(Input { key: here.within(&number.to_string()).place().to_owned(), request });
    }
    if !call.client.capabilities().urls {
        let words =
            "wants the user to visit a web page first, which this client can't be asked for (elicitation's `url` mode)";
        return Err(ActionError::failed(format!("the server `{name}` {words}")));
    }
    let answers = ask(inputs, &here).await?;
    let agreed = answers.iter().all(|answer| answer.get("action").and_then(Value::as_str) == Some("accept"));
    here.record(&Value::Bool(agreed));
    Err(sent(name, agreed))
}

/// What the caller has to do once its user was asked to go there.
fn sent(name: &str, agreed: bool) -> ActionError {
    ActionError::failed(match agreed {
        true => format!("the server `{name}` sent the user to a web page: call again when that is done"),
        false => format!("the server `{name}` wants the user to visit a web page first, which the user declined"),
    })
}

/// Whether this is the address of a page that a browser fetches over HTTP(S), from the host that whoever reads the
/// address sees in it. That may be the user's own machine.
pub fn is_page(url: &str) -> bool {
    let plain = url.len() <= MAX_URL && url.chars().all(|c| c.is_ascii_graphic() && c != '\\');
    plain
        && host(url).is_some_and(|host| {
            let opened = reqwest::Url::parse(url).ok();
            // A browser (WHATWG URL) also decodes `%2e`, counts `0x7f.1` and skips a third slash.
            opened.is_some_and(|opened| opened.host_str().is_some_and(|opened| opened.eq_ignore_ascii_case(host)))
        })
}

/// The host of an address without a user, as RFC 3986, section 3.2 reads it.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let web = ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
    let authority = rest.split(['/', '?', '#']).next().filter(|authority| web && !authority.contains('@'))?;
    Some(match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_sent_to_web_pages_alone() {
        for url in [
            "https://shop.example/pay?x=1#a",
            "http://127.0.0.1:8000/ok",
            "HTTPS://Shop.Example?to=https://a@b",
            "https://[::1]:8443/",
            "https://[::1]",
        ] {
            assert!(is_page(url), "{url}");
        }
        let long = format!("https://a.example/{}", "x".repeat(MAX_URL));
        for url in [
            "javascript:alert(1)",
            "file:///etc/passwd",
            "data:text/html,x",
            "https://good.example@evil.example/",
            "https://@good.example/",
            r"https://evil.example\@good.example/",
            r"https:\\evil.example/",
            "https:evil.example",
            "https:/evil.example",
            "https:///evil.example",
            "https://evil%2eexample/",
            "http://0x7f.1/",
            "http://2130706433/",
            "https://a.example/\u{202e}x",
            "https:// a.example",
            "shop.example/pay",
            "",
            &long,
        ] {
            assert!(!is_page(url), "{url}");
        }
    }
}

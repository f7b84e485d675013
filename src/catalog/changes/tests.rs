use super::*;
use crate::action::Trust;
use crate::action::source::Mode;
use crate::spec::Environment;
use crate::spec::load::Input;

async fn catalog(text: &str) -> std::sync::Arc<Catalog> {
    let input = Input::Text(text.to_owned());
    let loaded = Catalog::load(&input, &Environment::default(), Mode::Offline, Trust::Owner, None).await;
    loaded.catalog.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

/// The lines for an edit, both specs without their server.
async fn lines(old: &str, new: &str) -> Vec<String> {
    let spec = |text: &str| format!("server: {{ name: t }}\n{text}\n");
    let changes = Changes::between(&*catalog(&spec(old)).await, &*catalog(&spec(new)).await);
    changes.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn what_comes_and_goes_is_named() {
    let old = "
tools: { a: { text: a }, gone: { text: x } }
prompts: { p: { template: p } }
resources: { 'r:1': { text: one }, 'r:{x}': { text: '{{x}}' } }
";
    let new = "
tools: { more: { text: x }, a: { text: a } }
prompts: { q: { template: p } }
resources: { 'r:2': { text: one }, 's:{x}': { text: '{{x}}' } }
";
    let expected = [
        "+ tool more",
        "- tool gone",
        "+ prompt q",
        "- prompt p",
        "+ resource r:2",
        "- resource r:1",
        "+ template s:{x}",
        "- template r:{x}",
    ];
    assert_eq!(lines(old, new).await, expected);
}

#[tokio::test]
async fn changed_fields_are_named() {
    let old = "
tools:
  find:
    description: One
    params: { a: string, n: { type: integer, maximum: 5 } }
    text: '{{a}}'
prompts: { p: { arguments: { x: {}, y: {} }, template: '{{x}}{{y}}' } }
";
    let new = "
tools:
  find:
    description: Two
    params: { n: { type: integer, maximum: 6 }, b: { type: string, optional: true } }
    text: '{{b}}'
prompts: { p: { arguments: { x: { description: X }, z: {} }, template: '{{x}}{{z}}' } }
";
    let all = lines(old, new).await;
    let find = "~ tool find: description, inputSchema.properties.n.maximum, inputSchema.properties.b added, \
                inputSchema.properties.a removed, inputSchema.required";
    assert_eq!(all[0], find);
    assert_eq!(all[1], "~ prompt p: arguments.x.description added, arguments.z added, arguments.y removed");
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn the_server_and_an_order_change() {
    let old = "tools: { a: { text: a }, b: { text: b } }\nprompts: { p: { arguments: { x: {}, y: {} }, template: p } }";
    let new = "tools: { b: { text: b }, a: { text: a } }\nprompts: { p: { arguments: { y: {}, x: {} }, template: p } }";
    assert_eq!(lines(old, new).await, ["~ tools: order", "~ prompt p: arguments order"]);
    let (old, new) = (
        catalog("server: { name: t, instructions: one, title: T }").await,
        catalog("server: { name: t, version: 2.0.0, instructions: two }").await,
    );
    let lines: Vec<String> = Changes::between(&old, &new).iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["~ server: version, instructions, title removed"]);
}

#[tokio::test]
async fn what_only_runs_differently_is_no_change() {
    assert!(lines("tools: { a: { text: a } }", "tools: { a: { text: b } }").await.is_empty());
}

#[tokio::test]
async fn how_templates_are_mixed_with_resources_is_not_seen() {
    let one = "resources: { 'r:1': { text: x }, 'r:2': { text: x }, 's:{x}': { text: '{{x}}' } }";
    let mixed = "resources: { 'r:1': { text: x }, 's:{x}': { text: '{{x}}' }, 'r:2': { text: x } }";
    let swapped = "resources: { 'r:2': { text: x }, 'r:1': { text: x }, 's:{x}': { text: '{{x}}' } }";
    let visible = async |text: &str| catalog(&format!("server: {{ name: t }}\n{text}")).await.visible;
    assert_eq!(visible(one).await, visible(mixed).await);
    assert_ne!(visible(one).await, visible(swapped).await);
    assert_eq!(lines(one, swapped).await, ["~ resources: order"]);
    let members = one.replace("'{{x}}'", "'{{x}}', list: { text: '[]' }");
    assert_eq!(lines(one, &members).await, ["~ template s:{x}: members"]);
}

#[test]
fn a_line_stays_one_line() {
    let fields: Vec<String> = (0..NAMED + 3).map(|n| format!("f{n}")).collect();
    let change = Change::of("prompt", Some("a\nb\u{1b}[2J"), fields).unwrap().to_string();
    assert!(change.starts_with("~ prompt a\u{fffd}b\u{fffd}[2J: f0, f1, "), "{change}");
    assert!(change.ends_with(", f11 and 3 more"), "{change}");
}

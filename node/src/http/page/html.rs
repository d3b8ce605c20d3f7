//! The page as text. Whatever comes from a description goes through [`escape`].

use super::{SCRIPT, STYLE};
use crate::door::VERSION;
use crate::words::{kind, size};
use sdk::describe::{Described, DescribedEndpoint, DescribedExample, Field};
use std::borrow::Cow;
use std::fmt::Write;
use wire::Kind;

pub fn page(services: &[Described], keyless: bool) -> String {
    let endpoints: usize = services.iter().map(|service| service.endpoints.len()).sum();
    let list: String = services.iter().map(link).collect();
    let told: String = services.iter().map(section).collect();
    format!(
        r##"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Commons</title>
<link rel="icon" href="data:,">
<style>{STYLE}</style>
</head>
<body>
<a class="skip" href="#services">Skip to the services</a>
<header>
<div class="bar">
<h1>Commons <small>{version}</small></h1>
<nav aria-label="Elsewhere"><a href="/openapi.json">OpenAPI</a> <a href="/status">Status</a></nav>
</div>
</header>
<div class="frame">
<aside>
<label class="find"><span>Filter</span>
<input id="filter" type="search" placeholder="wallet, credit …" autocomplete="off" spellcheck="false" aria-controls="services"></label>
<nav aria-label="Services"><ul>{list}</ul></nav>
</aside>
<main id="services">
<section class="start" aria-labelledby="start">
<h2 id="start">{count} services, {endpoints} endpoints</h2>
<p>Every endpoint is <code>POST /v1/<var>service</var>/<var>Endpoint</var></code> with a JSON object; replies are JSON.
A reply that says <em>done</em> means it is on disk. Send <code>Idempotency-Key</code> with a command, and it is done once, however
often it is sent.</p>
{key}
<p>The program <code>commons</code> does the same from a terminal: <code>commons services</code>,
<code>commons describe wallet Credit</code>. The <code>README.md</code> of its repository leads on.</p>
</section>
<fieldset class="langs"><legend>Examples as</legend>
<label><input type="radio" name="lang" id="as-curl" checked><span>curl</span></label>
<label><input type="radio" name="lang" id="as-cli"><span>CLI</span></label>
<label><input type="radio" name="lang" id="as-rust"><span>Rust</span></label>
</fieldset>
<p id="none" hidden>Nothing here has this in its name or its description.</p>
{told}
</main>
</div>
<script>{SCRIPT}</script>
</body>
</html>
"##,
        version = escape(VERSION),
        count = services.len(),
        key = key_hint(keyless),
    )
}

fn key_hint(keyless: bool) -> &'static str {
    if keyless {
        "<p>This node is in dev mode: calls from this machine need no key.</p>"
    } else {
        "<p>Calls need the node’s key, which is in the file <code>token</code> of its folder: \
         <code>-H \"Authorization: Bearer $(cat DIR/token)\"</code>.</p>"
    }
}

fn link(service: &Described) -> String {
    let name = escape(&service.name);
    format!("<li><a href=\"#{name}\">{}</a></li>\n", escape(&service.display_name))
}

fn section(service: &Described) -> String {
    let name = escape(&service.name);
    let endpoints: String = service.endpoints.iter().map(|one| endpoint(service, one)).collect();
    let shelf = match service.category.as_str() {
        "" => String::new(),
        shelf => format!(" <span class=\"shelf\">{}</span>", escape(shelf)),
    };
    let heading = format!("<h2 id=\"{name}\"><a href=\"#{name}\">{}</a>{shelf}</h2>", escape(&service.display_name));
    let summary = escape(&service.summary);
    format!(
        "<section class=\"service\" data-words=\"{name} {summary}\">{heading}\n<p>{summary}</p>\n{endpoints}</section>\n"
    )
}

fn endpoint(service: &Described, endpoint: &DescribedEndpoint) -> String {
    let (name, kind) = (escape(&endpoint.name), kind(endpoint.kind));
    let id = format!("{}.{name}", escape(&service.name));
    let mut out = format!(
        "<details id=\"{id}\" data-words=\"{name} {summary}\"><summary><span class=\"name\">{name}</span> \
         <span class=\"kind {kind}\">{kind}</span>{later} <span class=\"told\">{told}</span></summary>\n<div class=\"body\">\n",
        summary = escape(&endpoint.summary),
        told = prose(&endpoint.summary),
        later = if endpoint.not_yet.is_empty() { "" } else { " <span class=\"kind later\">501</span>" },
    );
    let mut add = |text: String| out.push_str(&text);
    add(format!("<p class=\"path\"><code>POST /v1/{}/{name}</code> {}</p>\n", escape(&service.name), facts(endpoint)));
    endpoint
        .doc
        .split("\n\n")
        .filter(|part| !part.is_empty())
        .for_each(|part| add(format!("<p>{}</p>\n", prose(part))));
    if !endpoint.not_yet.is_empty() {
        add(format!("<p class=\"note\">Not there yet: {}.</p>\n", prose(&endpoint.not_yet)));
    }
    add(table("Request", "", &endpoint.fields, "takes nothing"));
    let reply = if endpoint.kind == Kind::Stream { "Each item" } else { "Reply" };
    add(table(reply, &endpoint.reply, &endpoint.reply_fields, "an empty object"));
    add(errors(endpoint));
    endpoint.examples.iter().for_each(|one| add(example(one)));
    out.push_str("</div></details>\n");
    out
}

fn facts(endpoint: &DescribedEndpoint) -> String {
    let mut facts = vec![];
    if !endpoint.key.is_empty() {
        facts.push(format!("key: <code>{}</code>", escape(&endpoint.key)));
    }
    facts.push(format!("up to {}", size(endpoint.body_bytes_max)));
    if endpoint.sensitive {
        facts.push("never logged".to_string());
    }
    format!("<span>{}</span>", facts.join(" · "))
}

fn table(title: &str, told: &str, fields: &[Field], nothing: &str) -> String {
    let told = if told.is_empty() { String::new() } else { format!(" <small>{}</small>", prose(told)) };
    let heading = format!("<h3>{title}{told}</h3>\n");
    if fields.is_empty() {
        return format!("{heading}<p class=\"nothing\">{nothing}</p>\n");
    }
    let mut rows = String::new();
    add_rows(fields, 0, &mut rows);
    format!(
        "{heading}<table><thead><tr><th>field</th><th>type</th><th>meaning</th></tr></thead><tbody>\n{rows}</tbody></table>\n"
    )
}

fn add_rows(fields: &[Field], depth: usize, out: &mut String) {
    for field in fields {
        let limits = match field.limits.is_empty() {
            true => String::new(),
            false => format!(" <span class=\"limit\">{}</span>", escape(&field.limits.join(", "))),
        };
        let dots = if depth == 0 { "" } else { "." };
        // A string takes all that is written to it.
        let _ = writeln!(
            out,
            "<tr class=\"in{depth}\"><th scope=\"row\"><code>{dots}{}</code></th><td class=\"type\">{}</td><td>{}{limits}</td></tr>",
            escape(&field.name),
            escape(&field.kind),
            prose(&field.doc)
        );
        add_rows(&field.fields, depth + 1, out);
    }
}

fn errors(endpoint: &DescribedEndpoint) -> String {
    if endpoint.errors.is_empty() {
        return String::new();
    }
    let one = |error: &sdk::describe::DescribedError| {
        format!("<li>{} <code>{}</code></li>", error.code, escape(&error.reason))
    };
    let all: String = endpoint.errors.iter().map(one).collect();
    format!("<h3>Errors <small>of its own</small></h3>\n<ul class=\"errors\">{all}</ul>\n")
}

fn example(example: &DescribedExample) -> String {
    let reply = match &example.response {
        serde_json::Value::Array(items) => items.iter().map(|item| format!("{item}\n")).collect(),
        reply => serde_json::to_string_pretty(reply).unwrap_or_default(),
    };
    let block = |class: &str, label: &str, text: &str| {
        let text = escape(text.trim_end());
        format!("<figure class=\"{class}\"><figcaption>{label}</figcaption><pre tabindex=\"0\">{text}</pre></figure>\n")
    };
    let parts = [
        block("call curl", "curl", &example.curl),
        block("call cli", "CLI", &example.cli),
        block("call rust", "Rust", &example.rust),
        block("reply", "reply", &reply),
    ];
    format!(
        "<h3>Example <small>{}</small></h3>\n<div class=\"example\">{}</div>\n",
        escape(&example.title),
        parts.concat()
    )
}

/// Text whose `words in backticks` are code.
fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // One backtick alone is a backtick.
    if parts.len().is_multiple_of(2) {
        return escape(text).into_owned();
    }
    let shown = parts.iter().enumerate().map(|(n, part)| match n % 2 {
        0 => escape(part).into_owned(),
        _ => format!("<code>{}</code>", escape(part)),
    });
    shown.collect()
}

/// For text and for quoted attributes.
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backticks_are_code_and_nothing_is_markup() {
        let rows = [
            ("`a<b>` and `c`", "<code>a&lt;b&gt;</code> and <code>c</code>"),
            ("it's 5` long & \"wide\"", "it&#39;s 5` long &amp; &quot;wide&quot;"),
            ("``", "<code></code>"),
        ];
        for (text, want) in rows {
            assert_eq!(prose(text), want);
        }
    }
}

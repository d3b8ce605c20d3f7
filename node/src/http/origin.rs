//! Who enters over HTTP; and where no key is asked (dev mode), that no web page from elsewhere drives the node (P21).

use super::routes::Peer;
use super::{handshake, headers};
use crate::door::{Doors, Via};
use axum::http::{HeaderMap, HeaderName, Method, header, request::Parts, uri::Authority};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use wire::{Error, Kind, error::reasons};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Lets the caller in or says why not. `kind`: of the endpoint called, where one is.
pub fn enter(doors: &Doors, parts: &Parts, kind: Option<Kind>) -> Result<Via, Error> {
    let near = parts.extensions.get::<Peer>().is_some_and(|peer| peer.0.ip().to_canonical().is_loopback());
    let mut key = headers::key(&parts.headers);
    if key.is_none() && handshake::is_asked(parts) {
        key = handshake::key(&parts.headers).map(str::to_string);
    }
    let via = doors.access.check(key.as_deref(), near)?;
    if let Via::Loopback(_) = via {
        own_machine_only(parts, kind).map_err(|why| {
            let detail = format!("{why}: in dev mode only pages and programs of this machine may call without a key");
            reasons::FOREIGN_ORIGIN.refuse(detail).at("v1")
        })?;
    }
    Ok(via)
}

fn own_machine_only(parts: &Parts, kind: Option<Kind>) -> Result<(), String> {
    // A foreign name that resolves to this machine (DNS rebinding) shows in the host that was asked for.
    let hosts = parts.headers.get_all(header::HOST).iter().map(|host| host.to_str().unwrap_or_default());
    let asked: Vec<&str> = hosts.chain(parts.uri.authority().map(Authority::as_str)).collect();
    if asked.is_empty() {
        return Err("no Host was given".into());
    }
    if let Some(foreign) = asked.iter().find(|host| !is_loopback(host)) {
        return Err(format!("Host {foreign:?} is not this machine"));
    }
    for origin in parts.headers.get_all(header::ORIGIN) {
        let origin = origin.to_str().unwrap_or_default();
        let host = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        if !host.is_some_and(is_loopback) {
            return Err(format!("Origin {origin:?} is not this machine"));
        }
    }
    let sites: Vec<&str> = sites(&parts.headers);
    if sites.contains(&"cross-site") {
        return Err("another site sent this request (Sec-Fetch-Site: cross-site)".into());
    }
    // An <img> of another local page sends no Origin: GET may not change anything for it. A page's WebSocket always does.
    let writes = matches!(kind, Some(Kind::Command | Kind::Handler));
    let is_get = parts.method == Method::GET && !handshake::is_asked(parts);
    if is_get && writes && !sites.iter().all(|site| matches!(*site, "same-origin" | "none")) {
        return Err("a GET from another page may not change anything: use POST".into());
    }
    Ok(())
}

fn sites(headers: &HeaderMap) -> Vec<&str> {
    headers.get_all(SEC_FETCH_SITE).iter().map(|site| site.to_str().unwrap_or_default()).collect()
}

/// `localhost`, `127.0.0.1`, `[::1]`, with or without a port.
fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    // `user@host` would hide what follows.
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || bare.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || bare.parse::<Ipv6Addr>().is_ok_and(|ip| IpAddr::V6(ip).to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_hosts_are_this_machine() {
        for own in
            ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.8.9.1:1", "[::1]", "[::1]:8080", "[::ffff:127.0.0.1]:1"]
        {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "",
            "evil.com",
            "localhost.evil.com",
            "127.0.0.1.evil.com",
            "10.0.0.1",
            "[::2]",
            "localhost@evil.com",
            "evil@localhost",
            "a b",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }
}

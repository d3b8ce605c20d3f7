//! The services behind the doors, compiled once: names to find them by, schemas to fit bodies to.

use actors::outcome::OutcomeRequest;
use bytes::Bytes;
use sdk::Service;
use sdk::describe::{Described, describe};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::error::reasons;
use wire::fit::{Fit, Origin};
use wire::{Endpoint, Error};

/// One endpoint, ready to be called.
pub struct Known {
    pub endpoint: Endpoint,
    /// `wallet.credit`
    pub id: String,
    pub request: Fit,
    pub response: Fit,
    /// [`Endpoint::schema_hash`]: binary bodies of these types are taken.
    pub schema: u64,
}

/// All services by name, and the runtime's own. Internal endpoints are not there: no door knows them.
pub struct Catalogue {
    services: BTreeMap<&'static str, BTreeMap<&'static str, Arc<Known>>>,
    described: Arc<[Described]>,
}

impl Known {
    pub fn of(endpoint: Endpoint) -> Known {
        // A pattern that is none shows now, not at the first call.
        endpoint.limits();
        Known {
            id: endpoint.id(),
            request: Fit::of(&(endpoint.request)()),
            response: Fit::of(&(endpoint.response)()),
            schema: (endpoint.schema_hash)(),
            endpoint,
        }
    }

    /// A caller's JSON as the service reads it.
    pub fn body(&self, json: Value) -> Result<Bytes, Error> {
        let strict = self.request.take(json, Origin::Json).map_err(|misfit| Error::from(misfit).at(&self.id))?;
        (self.endpoint.request_from_json)(strict).map(Bytes::from).map_err(|error| error.at(&self.id))
    }

    /// A service's answer as callers read it.
    pub fn shown(&self, reply: &[u8]) -> Result<Value, Error> {
        let strict = (self.endpoint.response_to_json)(reply).map_err(|error| {
            // The service ran; what it said is not what it declared.
            let detail = format!("the reply cannot be read: {}", error.detail);
            reasons::PANICKED.refuse(detail).with_outcome(wire::Outcome::Ran).at(&self.id)
        })?;
        Ok(self.response.show(strict))
    }
}

impl Catalogue {
    pub fn new(services: &[Service]) -> Catalogue {
        let compile = |service: &Service| {
            let known = service.endpoints().filter(|endpoint| !endpoint.internal);
            (service.name(), known.map(|endpoint| (endpoint.name, Arc::new(Known::of(endpoint.clone())))).collect())
        };
        let mut compiled: BTreeMap<_, BTreeMap<_, _>> = services.iter().map(compile).collect();
        let own = Arc::new(Known::of(Endpoint::of::<OutcomeRequest>()));
        compiled.insert(actors::outcome::SERVICE, [(own.endpoint.name, own)].into());
        Catalogue { services: compiled, described: describe(services).into() }
    }

    /// The exact names, as the Rust client sends them; else as people write them. The error suggests the nearest name.
    pub fn find(&self, service: &str, endpoint: &str) -> Result<&Arc<Known>, Error> {
        if let Some(known) = self.services.get(service).and_then(|endpoints| endpoints.get(endpoint)) {
            return Ok(known);
        }
        let Some(endpoints) = self.services.get(service.to_lowercase().as_str()) else {
            let hint = did_you_mean(service, self.services.keys().copied());
            let detail = format!("No such API: there is no service {service:?}{hint}");
            return Err(reasons::NO_SUCH_SERVICE.refuse(detail).at("v1"));
        };
        // The first letter may be small, the rest is exact.
        let mut letters = endpoint.chars();
        let raised: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
        endpoints.get(raised.as_str()).ok_or_else(|| {
            let hint = did_you_mean(endpoint, endpoints.keys().copied());
            let detail = format!("No such API: {service} has no endpoint {endpoint:?}{hint}");
            reasons::NO_SUCH_ENDPOINT.refuse(detail).at("v1")
        })
    }

    /// The services as they are told to people, by name.
    pub fn described(&self) -> &[Described] {
        &self.described
    }
}

/// `; did you mean "wallet"?`, or nothing when no name is near.
pub fn did_you_mean<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> String {
    // A name from outside may be as long as a request: distance is quadratic.
    if given.chars().count() > 64 {
        return String::new();
    }
    let lower = given.to_lowercase();
    let near = names.map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name)).min();
    match near {
        Some((distance, name)) if distance <= 1 + lower.chars().count() / 3 => format!("; did you mean {name:?}?"),
        _ => String::new(),
    }
}

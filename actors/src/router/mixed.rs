//! Bodies between nodes: binary, or JSON where the two programs' types differ, so that mixed versions talk.

use super::ServiceSeat;
use super::message::Line;
use bytes::Bytes;
use sdk::runtime::{ItemJson, Run};
use sdk::{Endpoint, Error};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::OnceLock;
use wire::Outcome;
use wire::error::reasons;
use wire::fit::{Fit, Origin};
use wire::rpc::Body;

/// Hashes of the endpoints' types, each made when first needed.
pub(super) type Schemas = BTreeMap<&'static str, OnceLock<u64>>;

/// How the types of an endpoint travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Codec {
    Binary,
    Json,
}

impl ServiceSeat {
    /// An endpoint of this program, by name.
    pub(super) fn endpoint(&self, name: &str) -> Result<&(Endpoint, Run), Error> {
        self.service.run(name).ok_or_else(|| {
            reasons::NO_SUCH_ENDPOINT.refuse(format!("this node's program has no {}.{name}", self.service.name()))
        })
    }

    fn schema(&self, endpoint: &Endpoint) -> u64 {
        let make = endpoint.schema_hash;
        self.schemas.get(endpoint.name).map_or_else(make, |schema| *schema.get_or_init(make))
    }

    pub(super) fn request_out(&self, endpoint: &Endpoint, body: &Bytes, codec: Codec) -> Result<Body, Error> {
        match codec {
            Codec::Binary => Ok(self.binary(endpoint, body)),
            Codec::Json => Ok(shown(endpoint.request, (endpoint.request_to_json)(body)?)),
        }
    }

    /// A request of another node, in our own types.
    pub(super) fn request_in(&self, endpoint: &Endpoint, body: Body) -> Result<(Bytes, Codec), Error> {
        match body {
            Body::Binary { schema, bytes } if schema == self.schema(endpoint) => Ok((bytes.0.into(), Codec::Binary)),
            Body::Binary { .. } => {
                Err(reasons::OTHER_SCHEMA.refuse("this node's types are of another version: send JSON"))
            }
            Body::Json(text) => {
                let body = (endpoint.request_from_json)(fitted(endpoint.request, &text.0)?)?;
                Ok((body.into(), Codec::Json))
            }
        }
    }

    pub(super) fn reply_out(&self, endpoint: &Endpoint, reply: &Bytes, codec: Codec) -> Result<Body, Error> {
        match codec {
            Codec::Binary => Ok(self.binary(endpoint, reply)),
            Codec::Json => Ok(shown(endpoint.response, (endpoint.response_to_json)(reply).map_err(ran)?)),
        }
    }

    pub(super) fn reply_in(&self, endpoint: &Endpoint, body: Body) -> Result<Bytes, Error> {
        match body {
            // Of the types the request was of, which are ours.
            Body::Binary { bytes, .. } => Ok(bytes.0.into()),
            Body::Json(text) => {
                let fitted = fitted(endpoint.response, &text.0).map_err(ran)?;
                (endpoint.response_from_json)(fitted).map(Bytes::from).map_err(ran)
            }
        }
    }

    /// The items of a page's lines, of our types, on their way to another node.
    pub(super) fn items_out(&self, endpoint: &Endpoint, lines: &mut [Line], codec: Codec) -> Result<(), Error> {
        self.items(endpoint, lines, codec, |how, item| Ok((how.to)(item)?.to_string().into_bytes()))
    }

    /// And those of another node's lines.
    pub(super) fn items_in(&self, endpoint: &Endpoint, lines: &mut [Line], codec: Codec) -> Result<(), Error> {
        self.items(endpoint, lines, codec, |how, item| {
            (how.from)(serde_json::from_slice(item).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))?)
        })
    }

    fn items(
        &self,
        endpoint: &Endpoint,
        lines: &mut [Line],
        codec: Codec,
        turn: impl Fn(&ItemJson, &[u8]) -> Result<Vec<u8>, Error>,
    ) -> Result<(), Error> {
        let (_, Run::Gather { item: how, .. }) = self.endpoint(endpoint.name)? else { return Ok(()) };
        let lines = lines.iter_mut().filter(|_| codec == Codec::Json);
        lines.into_iter().try_for_each(|line| {
            line.item.0 = turn(how, &line.item.0)?;
            Ok(())
        })
    }

    fn binary(&self, endpoint: &Endpoint, bytes: &Bytes) -> Body {
        Body::Binary { schema: self.schema(endpoint), bytes: wire::Bytes(bytes.to_vec()) }
    }
}

/// As every door shows and takes it: versions differ in fields, and missing ones are fitted.
fn shown(schema: fn() -> Value, strict: Value) -> Body {
    Body::Json(wire::Bytes(Fit::of(&schema()).show(strict).to_string().into_bytes()))
}

fn fitted(schema: fn() -> Value, text: &[u8]) -> Result<Value, Error> {
    let json = serde_json::from_slice(text).map_err(|e| reasons::BAD_BODY.refuse(e.to_string()))?;
    Fit::of(&schema()).take(json, Origin::Json).map_err(Error::from)
}

/// It ran; only its reply cannot be read.
fn ran(error: Error) -> Error {
    error.with_outcome(Outcome::Ran)
}

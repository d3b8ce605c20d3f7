//! A call over HTTP, from its path to its reply.

use super::body::{self, Given};
use super::lifeline::Lifeline;
use super::{handshake, headers, origin, query, reply, stream};
use crate::door::{Answered, DEADLINE_GRACE, Doors, Entering, Known, METHOD, time_for, too_late};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header, request::Parts};
use axum::response::Response;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::time::timeout_at;
use wire::fit::{Origin, merge};
use wire::frame::Trace;
use wire::rpc::RequestId;
use wire::{Error, error::reasons};

/// What calls an endpoint.
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE, OPTIONS");

pub(super) type Named = Result<Path<String>, PathRejection>;
type Names = Result<Path<(String, String)>, PathRejection>;
type LongNames = Result<Path<(String, String, String)>, PathRejection>;

/// `/v1/wallet/Credit`
pub async fn short(State(doors): State<Arc<Doors>>, names: Names, request: Request) -> Response {
    let found = match &names {
        Ok(Path((service, endpoint))) => doors.catalogue.find(service, endpoint).cloned(),
        Err(wrong) => Err(no_path(wrong)),
    };
    answer(&doors, found, request).await.unwrap_or_else(|error| reply::error(&error))
}

/// `/v1/wallet/Wallet/Credit`: M3O's own OpenAPI files have it so.
pub async fn long(State(doors): State<Arc<Doors>>, names: LongNames, request: Request) -> Response {
    let found = match &names {
        Ok(Path((service, again, endpoint))) if service.eq_ignore_ascii_case(again) => {
            doors.catalogue.find(service, endpoint).cloned()
        }
        Ok(Path((service, _, endpoint))) => {
            let right = format!("/v1/{service}/{service}/{endpoint}");
            let detail = format!("No such API: the long form repeats the service's name, as in {right}");
            Err(reasons::NO_SUCH_ENDPOINT.refuse(detail).at("v1"))
        }
        Err(wrong) => Err(no_path(wrong)),
    };
    answer(&doors, found, request).await.unwrap_or_else(|error| reply::error(&error))
}

/// The path is no text.
pub(super) fn no_path(wrong: &PathRejection) -> Error {
    reasons::NO_SUCH_ENDPOINT.refuse(format!("No such API: {}", wrong.body_text())).at("v1")
}

pub(super) async fn answer(
    doors: &Arc<Doors>,
    found: Result<Arc<Known>, Error>,
    request: Request,
) -> Result<Response, Error> {
    let arrived = Instant::now();
    let (parts, sent) = request.into_parts();
    if handshake::is_asked(&parts) {
        let admitted = Admitted::check(doors, &parts, found);
        return Ok(handshake::accept(doors.clone(), parts, admitted));
    }
    if !matches!(parts.method, Method::POST | Method::GET | Method::PUT | Method::PATCH | Method::DELETE) {
        let refused = METHOD.refuse(format!("{} calls no endpoint: use POST", parts.method)).at("v1");
        let mut response = reply::error(&refused);
        response.headers_mut().insert(header::ALLOW, METHODS);
        return Ok(response);
    }
    let admitted = Admitted::check(doors, &parts, found)?;
    let known = admitted.known.clone();
    let mut arriving = doors.gate.arriving();
    let given = match parts.method {
        Method::GET => Given::Nothing,
        _ => body::read(&parts.headers, sent, &known.endpoint, &mut arriving)
            .await
            .map_err(|error| error.at(&known.id))?,
    };
    let has_id = admitted.request_id != RequestId::None;
    let entering = admitted.entering(given, arrived)?;
    drop(arriving);
    let mut response = match run(doors, &known, entering).await? {
        Answered::Reply(bytes) => reply::json(StatusCode::OK, &known.shown(&bytes)?),
        Answered::Stale(bytes) => {
            let mut response = reply::json(StatusCode::OK, &known.shown(&bytes)?);
            headers::tell_stale(response.headers_mut());
            response
        }
        Answered::Items(items) => {
            stream::reply(known.clone(), items, parts.extensions.get::<Lifeline>().cloned()).await?
        }
    };
    if has_id {
        headers::tell_how_long_the_id_is_kept(response.headers_mut());
    }
    Ok(response)
}

/// Hands it inside and waits for it, a little longer than it may take.
pub async fn run(doors: &Doors, known: &Arc<Known>, entering: Entering) -> Result<Answered, Error> {
    let given_up = (entering.deadline + DEADLINE_GRACE).into();
    timeout_at(given_up, doors.enter(known, entering)).await.unwrap_or_else(|_| Err(too_late(known)))
}

/// A caller that was let in, and what its request says outside of the body.
pub struct Admitted {
    pub known: Arc<Known>,
    account: Arc<str>,
    request_id: RequestId,
    time: Duration,
    trace: Trace,
    stale_ok: bool,
    /// The query parameters, fitted.
    under: Option<Value>,
}

impl Admitted {
    /// The key comes first: what is behind the door is told to nobody without one.
    pub fn check(doors: &Doors, parts: &Parts, found: Result<Arc<Known>, Error>) -> Result<Admitted, Error> {
        let via = origin::enter(doors, parts, found.as_ref().ok().map(|known| known.endpoint.kind))?;
        let known = found?;
        let admit = || {
            Ok(Admitted {
                account: via.account().clone(),
                request_id: headers::request_id(&parts.headers)?,
                time: time_for(headers::time_limit(&parts.headers)?),
                trace: headers::trace(&parts.headers),
                stale_ok: headers::stale_ok(&parts.headers)?,
                under: match parts.uri.query().filter(|query| !query.is_empty()) {
                    Some(text) => Some(known.request.take_part(query::parse(text)?, Origin::Text)?),
                    None => None,
                },
                known: known.clone(),
            })
        };
        admit().map_err(|error: Error| error.at(&known.id))
    }

    /// With its body, ready to go inside. `arrived`: its time runs from then.
    pub fn entering(self, given: Given, arrived: Instant) -> Result<Entering, Error> {
        let Admitted { known, account, request_id, time, trace, stale_ok, under } = self;
        let body = compose(&known, under, given).and_then(known.endpoint.request_from_json);
        let body = body.map_err(|error| error.at(&known.id))?.into();
        Ok(Entering { account, request_id, deadline: arrived + time, trace, body, stale_ok })
    }
}

/// Query and body as one strict object: what the body says wins.
fn compose(known: &Known, under: Option<Value>, given: Given) -> Result<Value, Error> {
    let over = match (given, &under) {
        (Given::Nothing, None) => json!({}),
        (Given::Nothing, Some(_)) => return Ok(known.request.take(under.unwrap_or_default(), Origin::Json)?),
        (Given::Json(value), None) => return Ok(known.request.take(value, Origin::Json)?),
        (Given::Json(value), Some(_)) => known.request.take_part(value, Origin::Json)?,
        (Given::Form(value), _) => known.request.take_part(value, Origin::Text)?,
    };
    Ok(known.request.take(merge(under.unwrap_or_else(|| json!({})), over), Origin::Json)?)
}

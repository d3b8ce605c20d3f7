//! A call over HTTP, from its path to its reply.

use super::{body, headers, origin, query, reply, stream};
use crate::door::{DEADLINE_GRACE, Doors, Entering, Known, METHOD, time_for, too_late};
use actors::call::Answer;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode, request::Parts};
use axum::response::Response;
use std::sync::Arc;
use std::time::Instant;
use tokio::time::timeout_at;
use wire::fit::{Origin, merge};
use wire::rpc::RequestId;
use wire::{Error, error::reasons};

type Names = Path<(String, String)>;
type LongNames = Path<(String, String, String)>;

/// `/v1/wallet/Credit`
pub async fn short(State(doors): State<Arc<Doors>>, Path((service, endpoint)): Names, request: Request) -> Response {
    answer(&doors, &service, &endpoint, request).await.unwrap_or_else(|error| reply::error(&error))
}

/// `/v1/wallet/Wallet/Credit`: M3O's own OpenAPI files have it so.
pub async fn long(
    State(doors): State<Arc<Doors>>,
    Path((service, again, endpoint)): LongNames,
    request: Request,
) -> Response {
    if !service.eq_ignore_ascii_case(&again) {
        let detail =
            format!("No such API: the long form repeats the service's name, as in /v1/{service}/{service}/{endpoint}");
        return reply::error(&reasons::NO_SUCH_ENDPOINT.refuse(detail).at("v1"));
    }
    answer(&doors, &service, &endpoint, request).await.unwrap_or_else(|error| reply::error(&error))
}

async fn answer(doors: &Arc<Doors>, service: &str, endpoint: &str, request: Request) -> Result<Response, Error> {
    let arrived = Instant::now();
    let (parts, sent) = request.into_parts();
    if !matches!(parts.method, Method::POST | Method::GET | Method::PUT | Method::PATCH | Method::DELETE) {
        return Err(METHOD.refuse(format!("{} calls no endpoint: use POST", parts.method)).at("v1"));
    }
    // The key comes first: what is behind the door is told to nobody without one.
    let found = doors.catalogue.find(service, endpoint);
    let via = origin::enter(doors, &parts, found.as_ref().ok().map(|known| known.endpoint.kind))?;
    let known = found?;
    let named = |error: Error| error.at(&known.id);
    let request_id = headers::request_id(&parts.headers).map_err(named)?;
    let time = time_for(headers::time_limit(&parts.headers).map_err(named)?);
    let body = read(known, &parts, sent).await.map_err(named)?;
    let call = Entering {
        account: via.account().clone(),
        deadline: arrived + time,
        trace: headers::trace(&parts.headers),
        body: (known.endpoint.request_from_json)(body).map_err(named)?.into(),
        request_id: request_id.clone(),
    };
    let given_up = (arrived + time + DEADLINE_GRACE).into();
    let answer = timeout_at(given_up, doors.enter(known, call)).await.unwrap_or_else(|_| Err(too_late(known)))?;
    let mut response = match answer {
        Answer::Reply(bytes) => reply::json(StatusCode::OK, &known.shown(&bytes)?),
        Answer::Items(items) => stream::reply(known.clone(), items).await?,
    };
    if request_id != RequestId::None {
        headers::tell_how_long_the_id_is_kept(response.headers_mut());
    }
    Ok(response)
}

/// Query and body as one strict object: what the body says wins; a GET has only the query.
async fn read(known: &Known, parts: &Parts, sent: axum::body::Body) -> Result<serde_json::Value, Error> {
    let under = match parts.uri.query().filter(|query| !query.is_empty()) {
        Some(text) => Some(known.request.take_part(query::parse(text)?, Origin::Text)?),
        None => None,
    };
    let given = match parts.method {
        Method::GET => body::Given::Nothing,
        _ => body::read(&parts.headers, sent).await?,
    };
    let over = match (given, &under) {
        (body::Given::Nothing, None) => serde_json::json!({}),
        (body::Given::Nothing, Some(_)) => return Ok(known.request.take(under.unwrap_or_default(), Origin::Json)?),
        (body::Given::Json(value), None) => return Ok(known.request.take(value, Origin::Json)?),
        (body::Given::Json(value), Some(_)) => known.request.take_part(value, Origin::Json)?,
        (body::Given::Form(value), _) => known.request.take_part(value, Origin::Text)?,
    };
    let merged = merge(under.unwrap_or_else(|| serde_json::json!({})), over);
    Ok(known.request.take(merged, Origin::Json)?)
}

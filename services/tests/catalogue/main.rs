//! House rules of every service and endpoint: a loop over the catalogue that names whoever breaks one.

mod bad_input;
mod codecs;
mod derived;
mod door;
mod leniency;
mod limits;
mod original;
mod schema;
mod secrets;

use sdk::runtime::Run;
use sdk::{Endpoint, Sandbox, Service};
use services::tables as catalogue;

fn endpoints() -> Vec<Endpoint> {
    catalogue().into_iter().flat_map(|(_, table)| table).collect()
}

fn is_built(service: &Service, endpoint: &str) -> bool {
    !matches!(service.run(endpoint), Some((_, Run::NotYet(_))))
}

#[test]
fn all_lists_every_service_by_name() {
    let all: Vec<_> = services::all().iter().map(Service::name).collect();
    assert!(all.is_sorted() && all.iter().all(|name| *name == name.to_lowercase()), "{all:?}");
    assert!(catalogue().iter().map(|(service, _)| service.name()).eq(all), "services::all and this test differ");
}

#[test]
fn every_line_of_a_table_has_its_function() {
    for (service, table) in catalogue() {
        let of = |endpoint: &Endpoint| (endpoint.id(), endpoint.kind, endpoint.key, endpoint.internal, endpoint.limit);
        let (built, told): (Vec<_>, Vec<_>) = (service.endpoints().map(of).collect(), table.iter().map(of).collect());
        assert_eq!(built, told, "mod.rs of {} against the table in its api.rs, in order", service.name());
    }
}

#[test]
fn every_service_says_what_it_is_for() {
    for (service, _) in catalogue() {
        let summary = service.summary();
        assert!((10..=80).contains(&summary.len()) && !summary.contains('\n'), "{}: {summary:?}", service.name());
    }
}

#[test]
fn examples_are_true() {
    services::all().into_iter().for_each(Sandbox::check_examples);
}

#[test]
fn every_endpoint_that_answers_shows_how() {
    for service in services::all() {
        for endpoint in service.endpoints().filter(|endpoint| is_built(&service, endpoint.name)) {
            let shown = service.examples().iter().any(|example| example.endpoint == endpoint.name);
            assert!(shown, "{} has no example: add .example() in its mod.rs", endpoint.id());
        }
    }
}

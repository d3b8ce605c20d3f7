//! Gathers over several groups: every entity once, the implicit one in its place, pages that stay true while rows change.

use super::random;
use crate::runtime::{GatherScope, Run, Scope, merge};
use crate::sandbox::Memory;
use crate::{Listing, Page, Request, Row, Service};
use rand::{Rng, rngs::SmallRng};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use wire::endpoint::{decode, encode};
use wire::{Rfc3339, error::reasons};

wire::endpoints! { demo:
    Gather List(ListRequest) -> ListResponse, page(names: String, 3..9);
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct ListRequest {
    limit: i64,
    cursor: String,
    even_only: bool,
    prefix: String,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
struct ListResponse {
    names: Vec<String>,
    cursor: String,
}

static ROW: Row<u32> = Row::new("row").expiring();
const GROUPS: usize = 3;
const NOW: i64 = 100;
/// With neighbours on both sides among the keys.
const IMPLICIT: &str = "b";

fn service() -> Service {
    let item = |entity: &str, value, request: &ListRequest| {
        (!request.even_only || value % 2 == 0).then(|| format!("{entity}={value}"))
    };
    let listing = Listing::of(&ROW, item).implicit(IMPLICIT).prefix(|request: &ListRequest| &request.prefix);
    Service::new("demo", "").row(&ROW).gather(listing)
}

fn group_of(entity: &str) -> usize {
    entity.bytes().map(usize::from).sum::<usize>() % GROUPS
}

fn any_key(random: &mut SmallRng) -> String {
    (0..random.random_range(1..3)).map(|_| ['\0', 'a', 'b', 'c', 'é'][random.random_range(0..5)]).collect()
}

/// What the entities hold; `None` = expired and not swept.
#[derive(Default)]
struct World {
    groups: [Memory; GROUPS],
    model: BTreeMap<String, Option<u32>>,
}

impl World {
    fn put(&mut self, entity: &str, value: Option<u32>) {
        let due = value.is_none().then_some(Rfc3339(NOW));
        self.command(entity, |tx| tx.put_until(&ROW, &value.unwrap_or(8), due));
        self.model.insert(entity.into(), value);
    }

    fn delete(&mut self, entity: &str) {
        self.command(entity, |tx| tx.delete(&ROW));
        self.model.remove(entity);
    }

    fn command(&mut self, entity: &str, f: impl FnOnce(&mut crate::Tx) -> crate::Result<()>) {
        let (account, tables) = ("a".into(), ["row"].as_slice().into());
        let scope = Scope { account, service: "demo", entity: entity.into(), now: Rfc3339(0), key: [0; 32], tables };
        super::run(&mut self.groups[group_of(entity)], scope, f).unwrap();
    }

    /// As a runtime does it: a part of every group, merged.
    fn page(&self, request: &ListRequest) -> crate::Result<ListResponse> {
        let service = service();
        let Some((_, Run::Gather { part, wanted, page, .. })) = service.run("List") else { panic!("a gather") };
        let body = encode(request)?;
        let (limit, cursor) = wanted(&body)?;
        let mut parts = vec![];
        for (group, rows) in self.groups.iter().enumerate() {
            let (account, after, owns) =
                ("a".into(), GatherScope::behind(&cursor)?, &|entity: &str| group_of(entity) == group);
            let scope =
                GatherScope { account, service: "demo", rows, now: Rfc3339(NOW), after, limit: limit + 1, owns };
            let lines = part(&scope, &body)?;
            assert!(lines.len() <= limit + 1);
            parts.push(lines);
        }
        let (lines, cursor) = merge(parts, limit);
        decode(&page(lines, cursor)?)
    }

    fn line(&self, entity: &str) -> Option<String> {
        let value = match self.model.get(entity) {
            Some(Some(value)) => *value,
            _ if entity == IMPLICIT => 0,
            _ => return None,
        };
        Some(format!("{entity}={value}"))
    }
}

fn filled(random: &mut SmallRng) -> World {
    let mut world = World::default();
    for _ in 0..random.random_range(0..25) {
        let entity = any_key(random);
        world.put(&entity, random.random_bool(0.6).then(|| random.random_range(1..5)));
    }
    world
}

#[test]
fn every_live_entity_once_and_the_implicit_one_in_its_place() {
    for seed in 0..500 {
        let random = &mut random(seed);
        let world = filled(random);
        let even_only = random.random_bool(0.3);
        let prefix = if random.random() { String::new() } else { any_key(random) };
        let mut names: Vec<&str> = world.model.keys().map(String::as_str).chain([IMPLICIT]).collect();
        names.sort();
        names.dedup();
        let is_shown = |line: &String| !even_only || line.ends_with(['0', '2', '4']);
        let within = names.into_iter().filter(|name| name.starts_with(&prefix));
        let want: Vec<String> = within.filter_map(|name| world.line(name)).filter(is_shown).collect();
        for limit in 0..=9 {
            let (mut seen, mut cursor) = (vec![], String::new());
            loop {
                let page = world.page(&ListRequest { limit, cursor, even_only, prefix: prefix.clone() }).unwrap();
                let size = if limit == 0 { 3 } else { limit as usize };
                assert!(page.names.len() == size || page.cursor.is_empty() && page.names.len() < size, "seed {seed}");
                seen.extend(page.names);
                cursor = page.cursor;
                if cursor.is_empty() {
                    break;
                }
            }
            assert_eq!(seen, want, "seed {seed}, limit {limit}");
        }
    }
}

#[test]
fn what_stays_is_listed_once_while_rows_come_and_go() {
    for seed in 0..500 {
        let random = &mut random(seed);
        let mut world = filled(random);
        let (before, limit) = (world.model.clone(), random.random_range(1..5));
        let (mut touched, mut seen, mut cursor) = (vec![], vec![], String::new());
        loop {
            let page = world.page(&ListRequest { limit, cursor, ..Default::default() }).unwrap();
            seen.extend(page.names.iter().map(|line| line.split('=').next().unwrap().to_string()));
            cursor = page.cursor;
            if cursor.is_empty() {
                break;
            }
            let entity = any_key(random);
            match random.random_range(0..3) {
                0 => world.delete(&entity),
                1 => world.put(&entity, None),
                _ => world.put(&entity, Some(1)),
            }
            touched.push(entity);
        }
        assert!(seen.windows(2).all(|pair| pair[0] < pair[1]), "seed {seed}: {seen:?}");
        for (entity, value) in before.iter().filter(|(entity, _)| !touched.contains(entity)) {
            assert_eq!(seen.contains(entity), value.is_some() || entity == IMPLICIT, "seed {seed}: {entity}");
        }
        assert!(seen.iter().any(|entity| entity == IMPLICIT), "seed {seed}: it is there with a row or without");
    }
}

#[test]
fn what_asks_for_no_page_is_refused() {
    let world = filled(&mut random(0));
    for (limit, cursor) in [(10, ""), (1, "nonsense"), (1, "1ff")] {
        let request = ListRequest { limit, cursor: cursor.into(), ..Default::default() };
        assert!(world.page(&request).unwrap_err().is(&reasons::BAD_BODY), "{request:?}");
    }
    assert_eq!((ListRequest::LIMIT.max, ListRequest::KEY), (9, ""));
}

#[test]
fn many_rows_are_read_in_portions() {
    let mut world = World::default();
    (0..600).for_each(|n| world.put(&format!("k{n:03}"), (n % 300 == 299).then_some(n)));
    let page = world.page(&ListRequest::default()).unwrap();
    assert_eq!(page.names, ["b=0", "k299=299", "k599=599"]);
}

//! What a plan promises, on clusters drawn at random.

use super::*;
use proptest::prelude::*;

fn site(node: u64, zone: u64, weight: u32) -> Site {
    Site { node: NodeId(node), zone: format!("z{zone}"), weight, takes: true }
}

fn groups(n: usize) -> Vec<GroupId> {
    (0..n as u64).map(GroupId).collect()
}

/// Nodes 1 to 24 in up to 6 zones, of equal weight or not.
fn cluster() -> impl Strategy<Value = Vec<Site>> {
    let zones = proptest::collection::vec(0..6_u64, 1..24);
    (zones, 1..7_u64, proptest::collection::vec(1..5_u32, 24), any::<bool>()).prop_map(
        |(zones, most, weights, even)| {
            let site = |(n, zone): (usize, &u64)| site(n as u64 + 1, zone % most, if even { 1 } else { weights[n] });
            zones.iter().enumerate().map(site).collect()
        },
    )
}

/// A cluster, some groups, a replication, and how it came there: planned from nothing, then with others, or drawn at random.
fn planned() -> impl Strategy<Value = (Vec<Site>, Vec<GroupId>, usize, Plan)> {
    let wild = proptest::collection::vec(proptest::collection::vec(1..28_u64, 0..6), 40);
    (cluster(), 1..40_usize, 1..6_usize, cluster(), wild, 0..3).prop_map(
        |(sites, count, replication, others, wild, how)| {
            let current = match how {
                0 => Plan::new(),
                1 => place(&others, &groups(count), replication, &Plan::new()),
                _ => {
                    let on = |n: &GroupId| wild[n.0 as usize].iter().copied().map(NodeId).collect();
                    groups(count).iter().map(|group| (*group, on(group))).collect()
                }
            };
            (sites, groups(count), replication, current)
        },
    )
}

fn count(plan: &Plan, node: NodeId) -> usize {
    plan.values().flatten().filter(|on| **on == node).count()
}

fn zones<'a>(sites: &'a [Site], on: &[NodeId]) -> BTreeSet<&'a str> {
    sites.iter().filter(|site| on.contains(&site.node)).map(|site| site.zone.as_str()).collect()
}

/// Replicas of `new` that were elsewhere, or nowhere, before.
fn moved(old: &Plan, new: &Plan) -> usize {
    let before = |group, node| old.get(group).is_some_and(|on| on.contains(node));
    new.iter().map(|(group, on)| on.iter().filter(|node| !before(group, node)).count()).sum()
}

fn fewest_and_most(counts: impl Iterator<Item = usize> + Clone) -> (usize, usize) {
    (counts.clone().min().unwrap_or(0), counts.max().unwrap_or(0))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_group_has_its_replicas_on_different_nodes_in_as_many_zones_as_can_be((sites, groups, n, current) in planned()) {
        let plan = place(&sites, &groups, n, &current);
        prop_assert_eq!(plan.keys().copied().collect::<Vec<_>>(), groups);
        let (nodes, all) = (n.min(sites.len()), zones(&sites, &sites.iter().map(|s| s.node).collect::<Vec<_>>()).len());
        for (group, on) in &plan {
            prop_assert!(on.is_sorted_by(|a, b| a < b), "{group}: {on:?}");
            prop_assert_eq!(on.len(), nodes, "{}: {:?}", group, on);
            prop_assert_eq!(zones(&sites, on).len(), all.min(nodes), "{}: {:?}", group, on);
        }
    }

    #[test]
    fn each_node_holds_its_share_rounded_down_or_up((sites, groups, n, current) in planned()) {
        let plan = place(&sites, &groups, n, &current);
        let n = n.min(sites.len());
        let mut zones: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
        sites.iter().for_each(|s| { let zone = zones.entry(&s.zone).or_default(); zone.0 += 1.0; zone.1 += f64::from(s.weight) });
        // The same rule told another way, in fractions: a level of water that a zone's, then a node's vessel is filled to.
        let level = |whole: f64, parts: &[(f64, f64, f64)]| {
            let (mut low, mut high) = (0.0, 1e9);
            for _ in 0..200 {
                let mid = (low + high) / 2.0;
                let sum: f64 = parts.iter().map(|(w, least, most)| (w * mid).clamp(*least, *most)).sum();
                if sum < whole { low = mid } else { high = mid }
            }
            low
        };
        let all = groups.len() as f64;
        let bounds = |members: f64| if zones.len() >= n { (0.0, all) } else { (all, all * members) };
        let parts: Vec<_> = zones.values().map(|(members, w)| (*w, bounds(*members).0, bounds(*members).1)).collect();
        let among_zones = level(all * n as f64, &parts);
        for (zone, (members, weight)) in &zones {
            let share = (weight * among_zones).clamp(bounds(*members).0, bounds(*members).1);
            let own: Vec<&Site> = sites.iter().filter(|site| site.zone == *zone).collect();
            let parts: Vec<_> = own.iter().map(|site| (f64::from(site.weight), 0.0, all)).collect();
            let among_nodes = level(share, &parts);
            for site in own {
                let (share, held) = ((f64::from(site.weight) * among_nodes).min(all), count(&plan, site.node) as f64);
                prop_assert!((held - share).abs() < 1.0 + 1e-6, "{} holds {held}, its share is {share}", site.node);
            }
        }
    }

    #[test]
    fn planning_a_plan_changes_nothing((sites, groups, n, current) in planned()) {
        let plan = place(&sites, &groups, n, &current);
        prop_assert_eq!(place(&sites, &groups, n, &plan), plan);
    }

    #[test]
    fn the_order_of_what_is_given_does_not_show((sites, groups, n, current) in planned(), turn in 0..24_usize) {
        let plan = place(&sites, &groups, n, &current);
        let (mut sites, mut groups, mut current) = (sites, groups, current);
        let (s, g) = (turn % sites.len(), turn % groups.len());
        sites.rotate_left(s);
        groups.rotate_left(g);
        groups.reverse();
        current.values_mut().for_each(|on| on.reverse());
        prop_assert_eq!(place(&sites, &groups, n, &current), plan);
    }

    #[test]
    fn what_takes_none_keeps_none((sites, groups, n, current) in planned(), shut in 0..24_usize) {
        let mut sites = sites;
        let shut = shut % sites.len();
        sites[shut].takes = false;
        let plan = place(&sites, &groups, n, &current);
        if sites.len() > 1 {
            prop_assert_eq!(count(&plan, sites[shut].node), 0);
            let others: Vec<Site> = sites.iter().filter(|site| site.takes).cloned().collect();
            prop_assert_eq!(place(&others, &groups, n, &current), plan);
        }
    }

    /// Nodes that weigh the same, up to 20, joining one by one, in zones or not; any number of groups.
    #[test]
    fn a_node_that_joins_takes_about_its_share_and_no_more(count in 16..257_usize, most in 1..7_u64, n in 1..4_usize) {
        let (groups, mut sites) = (groups(count), vec![]);
        let mut plan = Plan::new();
        for node in 1..=20 {
            sites.push(site(node, node % most, 1));
            let next = place(&sites, &groups, n, &plan);
            if sites.len() > n {
                let (moves, share) = (moved(&plan, &next), self::count(&next, NodeId(node)));
                // Its even share rounded up, if rounding or zones give it less.
                let share = share.max((count * n).div_ceil(node as usize));
                prop_assert!(moves <= (share * 13).div_ceil(10), "node {node}: {moves} moves for a share of {share}");
            }
            plan = next;
        }
    }

    #[test]
    fn a_node_that_goes_moves_only_its_own(count in 16..257_usize, most in prop_oneof![Just(1_u64), Just(99)], n in 1..4_usize, gone in 0..20_usize, of in 2..20_usize) {
        let groups = groups(count);
        let mut sites: Vec<Site> = (1..=of as u64).map(|node| site(node, node % most, 1)).collect();
        let plan = place(&sites, &groups, n, &Plan::new());
        let gone = sites.remove(gone % of).node;
        let next = place(&sites, &groups, n, &plan);
        let (its_own, moves) = (self::count(&plan, gone), moved(&plan, &next));
        prop_assert!(moves <= its_own, "{moves} moves for the {its_own} of {gone}");
    }

    #[test]
    fn leaders_are_even_wherever_replicas_are((sites, groups, n, current) in planned(), muted in proptest::collection::btree_set(1..24_u64, 0..4)) {
        let plan = place(&sites, &groups, n, &current);
        let muted: BTreeSet<NodeId> = muted.into_iter().map(NodeId).collect();
        let chosen = leaders(&plan, &BTreeMap::new(), &muted);
        prop_assert_eq!(chosen.keys().collect::<Vec<_>>(), plan.keys().collect::<Vec<_>>());
        for (group, leader) in &chosen {
            prop_assert!(plan[group].contains(leader));
            prop_assert!(!muted.contains(leader) || plan[group].iter().all(|node| muted.contains(node)));
        }
        // Hall: no set of nodes that could hand on to each other leads more than its groups, shared evenly, would give.
        let load = |node: &NodeId| chosen.values().filter(|leader| *leader == node).count();
        for (group, leader) in &chosen {
            let able = |node: &&NodeId| !muted.contains(node) || muted.contains(leader);
            for other in plan[group].iter().filter(able) {
                prop_assert!(load(leader) <= load(other) + 1, "{group} is led by {leader}, {other} leads less by two");
            }
        }
        prop_assert_eq!(leaders(&plan, &chosen, &muted), chosen);
    }

    #[test]
    fn leaders_on_equal_nodes_are_their_share_rounded(count in 1..100_usize, nodes in 1..20_u64, n in 1..5_usize, current in proptest::collection::vec(1..24_u64, 100)) {
        let sites: Vec<Site> = (1..=nodes).map(|node| site(node, 0, 1)).collect();
        let plan = place(&sites, &groups(count), n, &Plan::new());
        let current: BTreeMap<GroupId, NodeId> = groups(count).into_iter().map(|g| (g, NodeId(current[g.0 as usize]))).collect();
        let chosen = leaders(&plan, &current, &BTreeSet::new());
        let loads = sites.iter().map(|site| chosen.values().filter(|leader| **leader == site.node).count());
        let (fewest, most) = fewest_and_most(loads);
        prop_assert!(most - fewest <= 1, "{fewest} to {most}");
    }
}

#[test]
fn a_node_that_comes_back_gets_its_share_of_leaders_and_no_other_leader_changes() {
    let sites: Vec<Site> = (1..=3).map(|node| site(node, node, 1)).collect();
    let plan = place(&sites, &groups(17), 3, &Plan::new());
    let even = leaders(&plan, &BTreeMap::new(), &BTreeSet::new());
    let down = leaders(&plan, &even, &BTreeSet::from([NodeId(2)]));
    assert!(even.iter().all(|(group, leader)| *leader == NodeId(2) || down[group] == *leader), "only its own move");
    assert!(down.values().all(|leader| *leader != NodeId(2)));
    let back = leaders(&plan, &down, &BTreeSet::new());
    let changed: Vec<_> = back.iter().filter(|(group, leader)| down[group] != **leader).collect();
    assert!(changed.iter().all(|(_, leader)| **leader == NodeId(2)) && (5..=6).contains(&changed.len()), "{changed:?}");
}

#[test]
fn a_group_that_only_muted_nodes_hold_is_led_all_the_same() {
    let plan =
        Plan::from([(GroupId(0), vec![NodeId(1)]), (GroupId(1), vec![NodeId(1), NodeId(2)]), (GroupId(2), vec![])]);
    let chosen = leaders(&plan, &BTreeMap::from([(GroupId(1), NodeId(1))]), &BTreeSet::from([NodeId(1)]));
    assert_eq!(chosen, BTreeMap::from([(GroupId(0), NodeId(1)), (GroupId(1), NodeId(2))]));
}

#[test]
fn with_nowhere_to_go_everything_stays() {
    let drained = [Site { takes: false, ..site(1, 1, 1) }];
    let current = Plan::from([(GroupId(0), vec![NodeId(1)])]);
    assert_eq!(place(&drained, &groups(2), 3, &current), current);
    assert_eq!(place(&[], &groups(2), 3, &Plan::new()), Plan::new());
}

#[test]
fn replication_that_shrinks_takes_away_and_moves_nothing() {
    let sites: Vec<Site> = (1..=5).map(|node| site(node, node, 1)).collect();
    let plan = place(&sites, &groups(16), 3, &Plan::new());
    let next = place(&sites, &groups(16), 1, &plan);
    assert_eq!(moved(&plan, &next), 0);
    assert!(next.values().all(|on| on.len() == 1));
}

/// A tenth of the size it must hold for (1,000 nodes, 16,384 groups); all that is asked here is that it comes to an end.
#[test]
fn cost() {
    let size = |name: &str, usual: u64| std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usual);
    let (nodes, count) = (size("PLACEMENT_NODES", 100), size("PLACEMENT_GROUPS", 1_638));
    let mut sites: Vec<Site> = (1..=nodes).map(|node| site(node, node % 7, 1)).collect();
    let groups = groups(count as usize);
    let timed = |what: &str, sites: &[Site], current: &Plan| {
        let began = std::time::Instant::now();
        let plan = place(sites, &groups, 3, current);
        println!("{what}: {:?}", began.elapsed());
        plan
    };
    let plan = timed("from nothing", &sites, &Plan::new());
    timed("as it is", &sites, &plan);
    sites.push(site(nodes + 1, 1, 1));
    let joined = timed("one more", &sites, &plan);
    sites.remove(3);
    let gone = timed("one less", &sites, &joined);
    sites.iter_mut().for_each(|site| site.weight = 1 + (site.node.0 % 3) as u32);
    timed("all weights new", &sites, &gone);
    let began = std::time::Instant::now();
    let chosen = leaders(&gone, &BTreeMap::new(), &BTreeSet::new());
    println!("leaders: {:?}", began.elapsed());
    let (fewest, most) = fewest_and_most(sites.iter().map(|s| chosen.values().filter(|node| **node == s.node).count()));
    assert!(most - fewest <= 1, "{fewest} to {most}");
}
